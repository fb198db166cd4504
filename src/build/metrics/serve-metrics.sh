#!/bin/sh
# Answers one HTTP request on standard input and output with the metrics in FILE. systemd starts it for each connection.
# usage: serve-metrics.sh FILE
set -u
LC_ALL=C
export LC_ALL
cr=$(printf '\r')

answer() { # STATUS TYPE TEXT
  printf 'HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %s\r\nConnection: close\r\n\r\n' "$1" "$2" "${#3}"
  [ "$method" = HEAD ] || printf '%s' "$3"
}

method='' path=''
read -r method path _ || exit 0
lines=0
while read -r line && [ "${line%"$cr"}" != '' ]; do
  lines=$((lines + 1))
  [ "$lines" -lt 100 ] || exit 0
done
path=${path%"$cr"}
case "$method ${path%%\?*}" in
'GET /metrics' | 'HEAD /metrics') ;;
'GET '* | 'HEAD '*)
  answer '404 Not Found' text/plain 'metrics are at /metrics
'
  exit 0
  ;;
*)
  answer '405 Method Not Allowed' text/plain 'GET it
'
  exit 0
  ;;
esac
# the newline after the last line would be lost
text=$(cat "$1" 2>/dev/null && printf .) || {
  answer '503 Service Unavailable' text/plain 'there are no metrics yet
'
  exit 0
}
answer '200 OK' 'text/plain; version=0.0.4; charset=utf-8' "${text%.}"
