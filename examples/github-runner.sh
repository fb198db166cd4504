#!/bin/sh
# The image builder with the charm github-runner. Give addresses and names of your own; the password is read from a file.
set -eu
: "${BUILDER_PASSWORD_FILE:?name a file that holds the OpenStack password of the user that builds}"

juju deploy github-runner-image-builder image-builder \
  --constraints "cores=2 mem=2G root-disk=20G virt-type=virtual-machine" \
  --config architecture=amd64 \
  --config base-image=noble

secret=$(juju add-secret builder-password password#file="$BUILDER_PASSWORD_FILE")
juju grant-secret builder-password image-builder
juju config image-builder \
  openstack-auth-url=https://keystone.example:5000/v3 \
  openstack-user-name=builder \
  openstack-user-domain-name=Default \
  openstack-project-name=images \
  openstack-project-domain-name=Default \
  openstack-password-secret="$secret"

# its options path, token, openstack-clouds-yaml, openstack-flavor and openstack-network are set as its own documentation says
juju deploy github-runner
juju integrate image-builder:image github-runner:image

juju run image-builder/leader check
juju run image-builder/leader run wait=true --wait=3h
juju run image-builder/leader list-images
