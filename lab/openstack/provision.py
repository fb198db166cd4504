#!/usr/bin/python3
"""Fills and watches the cloud over its REST APIs. Each stage is idempotent.

provision.py identity       projects, users, roles, services, endpoints
provision.py resources      flavors, network, subnet
provision.py wait-lbagent   until the linuxbridge agent has reported
provision.py wait-compute   until hypervisor and agents are up
"""
import calendar
import os
import sys
import time

import requests

HOST = "http://" + os.environ["LAB_HOST"]
KEYSTONE, NOVA, NEUTRON, GLANCE = HOST + ":5000/v3", HOST + ":8774/v2.1", HOST + ":9696/v2.0", HOST + ":9292"
FAKE = os.environ["LAB_VIRT"] == "fake"
# start of this run of up.sh, and what it started: an older report of those does not count
RUN_STARTED = float(os.environ["LAB_T0"])
JUST_STARTED = os.environ.get("LAB_STARTED", "").split()

session = requests.Session()
session.trust_env = False


def call(method, url, **options):
    answer = session.request(method, url, timeout=60, **options)
    if answer.status_code not in (200, 201, 202, 204):
        raise SystemExit(f"cannot {method} {url}: {answer.status_code} {answer.text}")
    return answer.json() if answer.text else {}


def sign_in(user, password, project):
    domain = {"id": "default"}
    answer = session.post(KEYSTONE + "/auth/tokens", timeout=60, json={"auth": {
        "identity": {"methods": ["password"], "password": {
            "user": {"name": user, "domain": domain, "password": password}}},
        "scope": {"project": {"name": project, "domain": domain}}}})
    answer.raise_for_status()
    session.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]


def ensure(base, plural, singular, body, match=("name",)):
    """The object with body's name, made where it is missing."""
    found = call("GET", f"{base}/{plural}", params={"name": body["name"]})[plural]
    for candidate in found:
        if all(candidate.get(key) == body[key] for key in match):
            return candidate
    return call("POST", f"{base}/{plural}", json={singular: body})[singular]


def identity():
    roles = {role["name"]: role["id"] for role in call("GET", KEYSTONE + "/roles")["roles"]}
    if "service" not in roles:
        roles["service"] = call("POST", KEYSTONE + "/roles", json={"role": {"name": "service"}})["role"]["id"]

    def member(user, password, project, granted):
        home = ensure(KEYSTONE, "projects", "project", {"name": project, "domain_id": "default"})
        person = ensure(KEYSTONE, "users", "user", {
            "name": user, "domain_id": "default", "password": password, "default_project_id": home["id"]})
        for role in granted:
            call("PUT", f"{KEYSTONE}/projects/{home['id']}/users/{person['id']}/roles/{roles[role]}")

    member("svc", "svcpass", "service", ["admin", "service"])
    for name in ("builder", "runner-a", "runner-b"):
        member(name, name + "-pass", name, ["member", "reader"])
    for kind, name, url in (("image", "glance", GLANCE), ("compute", "nova", NOVA),
                            ("network", "neutron", HOST + ":9696"), ("placement", "placement", HOST + ":8778")):
        service = ensure(KEYSTONE, "services", "service", {"type": kind, "name": name}, ("name", "type"))
        have = {endpoint["interface"] for endpoint in
                call("GET", KEYSTONE + "/endpoints", params={"service_id": service["id"]})["endpoints"]}
        for interface in ("public", "internal", "admin"):
            if interface not in have:
                call("POST", KEYSTONE + "/endpoints", json={"endpoint": {
                    "service_id": service["id"], "interface": interface, "url": url, "region_id": "RegionOne"}})


def resources():
    have = {flavor["name"] for flavor in call("GET", NOVA + "/flavors")["flavors"]}
    for name, vcpus, ram, disk in (("lab.tiny", 1, 256, 1), ("lab.small", 1, 1024, 8), ("lab.medium", 2, 2048, 10)):
        if name in have:
            continue
        flavor = call("POST", NOVA + "/flavors", json={"flavor": {
            "name": name, "vcpus": vcpus, "ram": ram, "disk": disk}})["flavor"]
        call("POST", f"{NOVA}/flavors/{flavor['id']}/os-extra_specs",
             json={"extra_specs": {"hw_rng:allowed": "true"}})
    network = ensure(NEUTRON, "networks", "network", {
        "name": "lab-net", "shared": True,
        "provider:network_type": "flat", "provider:physical_network": "physnet1"})
    ensure(NEUTRON, "subnets", "subnet", {
        "name": "lab-subnet", "network_id": network["id"], "ip_version": 4, "cidr": "10.77.0.0/24",
        "gateway_ip": "10.77.0.1", "enable_dhcp": not FAKE,
        "allocation_pools": [{"start": "10.77.0.10", "end": "10.77.0.250"}]})


def fresh(service, stamp):
    """Whether a report's UTC time stamp is from this run, where the service was started in it."""
    text = (stamp or "1970-01-01 00:00:00").replace("T", " ")[:19]
    at = calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S")) + 1
    return service not in JUST_STARTED or at >= RUN_STARTED


def agent_up(agent_type, service):
    return any(agent["alive"] and fresh(service, agent["heartbeat_timestamp"])
               for agent in call("GET", NEUTRON + "/agents")["agents"] if agent["agent_type"] == agent_type)


def lbagent_up():
    return agent_up("Linux bridge agent", "lbagent")


def compute_up():
    services = call("GET", NOVA + "/os-services", params={"binary": "nova-compute"})["services"]
    hypervisors = call("GET", NOVA + "/os-hypervisors/detail")["hypervisors"]
    return (any(one["state"] == "up" and fresh("nova-compute", one["updated_at"]) for one in services)
            and any(one["state"] == "up" for one in hypervisors)
            and (FAKE or (lbagent_up() and agent_up("DHCP agent", "dhcpagent"))))


def wait_until(ready, what, seconds=180):
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise SystemExit(f"{what} not up after {seconds} s")
        time.sleep(0.4)


STAGES = {
    "identity": identity,
    "resources": resources,
    "wait-lbagent": lambda: wait_until(lbagent_up, "linuxbridge agent"),
    "wait-compute": lambda: wait_until(compute_up, "compute service or agents"),
}
sign_in("admin", "adminpass", "admin")
STAGES[sys.argv[1]]()
