#!/bin/bash
# service.sh NAME COMMAND...: one more process of this cloud, under the same rules as up.sh's own (session,
# pid file, log); down.sh stops it. Does nothing where it runs. Settings: see lib.sh.
set -eu
. "$(dirname "$(readlink -f "$0")")/lib.sh"
mkdir -p "$LOG" "$RUN"
cd /
start "$@"
