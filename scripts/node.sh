#!/bin/sh
# Runs a TypeScript file of this repository with the Node.js that package-lock.json pins; installs
# the npm dependencies first where they are missing or older than the lock file.
# usage: sh scripts/node.sh FILE.ts [ARGUMENT...]
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
stamp=$root/node_modules/.installed-from
if ! cmp -s "$root/package-lock.json" "$stamp"; then
  echo "installing npm dependencies" >&2
  (cd "$root" && npm ci --ignore-scripts --loglevel=error >&2)
  cp "$root/package-lock.json" "$stamp"
fi
PATH=$root/node_modules/.bin:$PATH
export PATH
file=$1
shift
exec "$root/node_modules/.bin/node" "$root/$file" "$@"
