#!/bin/bash
# Runs the recipe's sections in order; the first failure ends it. Each section is a file of its own, run by a
# bash of its own, so that `set -e` holds in all of it. Results go to /run/image-builder (tmpfs), the output
# to /var/log/image-builder.log, where lines that begin with `==` are the frame's; those go to the console too.
set -u
umask 022
run=/run/image-builder
log=/var/log/image-builder.log
mkdir -p "$run/sections"
export IMAGE_BUILDER_TRIES=$run/tries
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin

# retry COMMAND...: for what needs the network; five tries, 2 to 16 s apart
cat > "$run/library" <<'IMAGE_BUILDER_SECTION'
retry() {
  local try
  for try in 1 2 3 4; do
    "$@" && return 0
    echo "try $try failed: $*" >&2
    sleep $((2 ** try))
    [ "$try" -lt "$(cat "$IMAGE_BUILDER_TRIES")" ] || echo $((try + 1)) > "$IMAGE_BUILDER_TRIES"
  done
  "$@"
}
IMAGE_BUILDER_SECTION

say() {
  echo "== $*" >> "$log"
  echo "image-builder: $*" > /dev/console 2> /dev/null || true
}

# a proxy's credentials are no part of the user-data; the builder brings them over SSH
await_proxy() {
  local limit=600
  say "section proxy"
  until [ -f "$run/proxy.env" ]; do
    if [ "$SECONDS" -ge "$limit" ]; then
      echo "E: the builder did not bring the proxy's address within $limit s" >> "$log"
      say "section proxy failed"
      echo proxy > "$run/failed"
      exit 1
    fi
    sleep 1
  done
  # shellcheck disable=SC1091 # made by the builder
  . "$run/proxy.env"
  say "section proxy done in $SECONDS s"
}

# section NAME: one line of sections.tsv for each that ended: its name, its seconds, the most tries it needed
section() {
  local name=$1 began=$SECONDS status=0 took tries
  say "section $name"
  echo 1 > "$IMAGE_BUILDER_TRIES"
  # shellcheck disable=SC2016 # the inner bash expands
  bash -euo pipefail -c '. "$1"; . "$2"' "section-$name" "$run/library" "$run/sections/$name" \
    >> "$log" 2>&1 < /dev/null || status=$?
  took=$((SECONDS - began))
  tries=$(cat "$IMAGE_BUILDER_TRIES")
  printf '%s\t%s\t%s\n' "$name" "$took" "$tries" >> "$run/sections.tsv"
  if [ "$status" -ne 0 ]; then
    say "section $name failed after $took s with exit code $status"
    echo "$name" > "$run/failed"
    exit 1
  fi
  say "section $name done in $took s$([ "$tries" -eq 1 ] || echo ", in $tries tries")"
}
