#!/bin/sh
# Images for GARM: one garm-configurator for each scale set, all from one image builder that is deployed and configured
# (github-runner.sh). Options of garm-configurator are set as its own documentation says.
set -eu

for set in small large; do
  juju deploy garm-configurator "garm-$set" --channel latest/edge
  juju integrate image-builder:image "garm-$set:image"
done

# two bases make two images; a relation's first one is what garm-configurator takes
juju config image-builder base-image=noble,jammy schedule="30 3 * * 1-5" revision-history-limit=3
juju run image-builder/leader list-images format=json
