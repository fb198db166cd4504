#!/bin/sh
# Fills a folder with all that a build fetches over HTTP but apt's archive, snaps and npm packages: README.md has the
# layout. Run it where there is internet, carry the folder over, and serve it by any web server. What is there already and
# has the right checksum is not fetched again.
#
#   fill.sh FOLDER
#
# RELEASES, ARCHITECTURES and RUNNER_VERSION say what; IMAGES_URL, RUNNER_URL and YQ_URL from where.
set -eu
folder=${1:?give the folder to fill}
releases=${RELEASES:-noble}
architectures=${ARCHITECTURES:-x64}
images=${IMAGES_URL:-https://cloud-images.ubuntu.com}
runner=${RUNNER_URL:-https://github.com/canonical/github-actions-runner/releases}
yq=${YQ_URL:-https://github.com/mikefarah/yq/releases}
# the one that images get
yq_version=4.53.2

# fetch URL FILE: whole or not at all
fetch() {
  mkdir -p "$(dirname "$2")"
  curl --fail --silent --show-error --location --retry 3 --output "$2.part" "$1"
  mv "$2.part" "$2"
}
# matches FILE SHA256
matches() {
  [ -f "$1" ] && echo "$2  $1" | sha256sum --check --status
}
# ubuntu's name of an architecture; 32-bit ARM builds on the 64-bit image
ubuntu_name() {
  case $1 in x64) echo amd64 ;; arm) echo arm64 ;; ppc64le) echo ppc64el ;; *) echo "$1" ;; esac
}

for release in $releases; do
  from=$images/$release/current
  to=$folder/images/$release/current
  fetch "$from/SHA256SUMS" "$to/SHA256SUMS"
  fetch "$from/SHA256SUMS.gpg" "$to/SHA256SUMS.gpg"
  fetch "$from/unpacked/build-info.txt" "$to/unpacked/build-info.txt"
  for architecture in $architectures; do
    name=$release-server-cloudimg-$(ubuntu_name "$architecture").img
    sum=$(sed -n "s/^\([0-9a-f]\{64\}\)[ *]*$name\$/\1/p" "$to/SHA256SUMS")
    [ -n "$sum" ] || { echo "E: $from/SHA256SUMS does not list $name" >&2; exit 1; }
    matches "$to/$name" "$sum" || fetch "$from/$name" "$to/$name"
    matches "$to/$name" "$sum" || { echo "E: $from/$name does not have the SHA-256 that SHA256SUMS names" >&2; exit 1; }
  done
done

version=${RUNNER_VERSION:-}
if [ -z "$version" ]; then
  # the page of the newest release is named for its version
  version=$(curl --fail --silent --show-error --output /dev/null --write-out '%{redirect_url}' "$runner/latest")
  version=${version##*/v}
fi
for architecture in $architectures; do
  name=actions-runner-linux-$architecture-$version.tar.gz
  to=$folder/runner/download/v$version
  if ! [ -f "$to/$name.sha256" ] || ! matches "$to/$name" "$(cat "$to/$name.sha256")"; then
    fetch "$runner/download/v$version/$name" "$to/$name"
    sha256sum "$to/$name" | cut -d ' ' -f 1 > "$to/$name.sha256"
  fi
done
# a web server that cannot redirect says the newest version by this file
echo "v$version" > "$folder/runner/latest"

to=$folder/yq/download/v$yq_version
for file in checksums checksums_hashes_order; do fetch "$yq/download/v$yq_version/$file" "$to/$file"; done
for architecture in $architectures; do
  case $architecture in x64) name=yq_linux_amd64 ;; *) name=yq_linux_$architecture ;; esac
  [ -f "$to/$name" ] || fetch "$yq/download/v$yq_version/$name" "$to/$name"
done
