#!/bin/sh
# Stands for a hook command under whose name it is linked: notes the call beside itself and answers at once.
echo "${0##*/}" >>"${0%/*}/calls"
[ "${0##*/}" != secret-get ] || echo '{"password":"'"$JUJU_BENCH_PASSWORD"'"}'
