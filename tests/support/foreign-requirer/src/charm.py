"""The two charms that use images from us, reduced to what they do with the relation `image`.

write-once, as github-runner: the credentials are written when a unit joins and never again. The image is read
from some unit of the first relation, with an id or without.
rewrite, as garm-configurator: the credentials are written in every event that concerns the relation, and the
image is read from the first unit that has an id.
"""

import json
import os
import subprocess

KEYS = (
    "auth_url",
    "password",
    "project_domain_name",
    "project_name",
    "user_domain_name",
    "username",
)
WRITE_ONCE_READS_IN = {"start", "upgrade-charm", "config-changed", "secret-changed", "image-relation-changed"}
REWRITE_ACTS_IN = {
    "config-changed",
    "secret-changed",
    "image-relation-joined",
    "image-relation-changed",
    "image-relation-broken",
}


def tool(*words, text=None):
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=True)
    return done.stdout


def query(*words):
    return json.loads(tool(*words, "--format=json"))


def set_status(name, message):
    tool("status-set", name, "--", message)


def relations(hook):
    broken = os.environ.get("JUJU_RELATION_ID") if hook == "image-relation-broken" else None
    return [relation for relation in query("relation-ids", "image") if relation != broken]


def units_of(relation):
    return query("relation-list", "-r", relation)


def read(relation, unit):
    return query("relation-get", "-r", relation, "-", unit)


def write_credentials(relation, config):
    data = {key: config[key.replace("_", "-")] for key in KEYS}
    tool("relation-set", "-r", relation, "--file", "-", text=json.dumps(data))


def show(data):
    labels = [label for label in data.get("tags", "").split(",") if label]
    set_status("active", f"image {data['id']} labels {' '.join(labels) or '-'}")


def write_once(hook, config):
    if hook == "image-relation-joined":
        for relation in relations(hook):
            write_credentials(relation, config)
    if hook not in WRITE_ONCE_READS_IN:
        return
    related = relations(hook)
    units = set(units_of(related[0])) if related else set()
    if not units:
        set_status("blocked", "Please provide image integration.")
        return
    bags = (read(related[0], unit) for unit in units)
    data = next((bag for bag in bags if bag), {})
    if data.get("id"):
        show(data)
    else:
        set_status("waiting", "Waiting for image over integration.")


def rewrite(hook, config):
    if hook not in REWRITE_ACTS_IN:
        return
    related = relations(hook)
    if not related:
        set_status("waiting", "Waiting for image relation.")
        return
    write_credentials(related[0], config)
    bags = (read(related[0], unit) for unit in units_of(related[0]))
    data = next((bag for bag in bags if bag.get("id")), None)
    if data is None:
        set_status("waiting", "Waiting for image UUID.")
    else:
        show(data)


def main():
    hook = os.path.basename(os.environ["JUJU_DISPATCH_PATH"])
    config = query("config-get")
    {"write-once": write_once, "rewrite": rewrite}[config["mode"]](hook, config)


main()
