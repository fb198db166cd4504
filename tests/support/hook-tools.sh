#!/bin/sh
# Stands in for every hook command, under whose name it is linked: records the call, then answers from replies.sh.
# A record: name and arguments split by US, then GS, standard input, GS, the files behind key#file=..., RS.
bin=${0%/*}
dir=${bin%/*}
name=${0##*/}
us=$(printf '\037')
record=$name
files=
input=
previous=
for argument in "$@"; do
  record="$record$us$argument"
  [ "$previous $argument" = "--file -" ] && input=$(cat)
  case $argument in
  *#file=*) files="$files$(stat -c %a "$(dirname "${argument#*=}")") $(cat "${argument#*=}");" ;;
  esac
  previous=$argument
done
printf '%s\035%s\035%s\036' "$record" "$input" "$files" >>"$dir/calls"
call="$name $*"
. "$dir/replies.sh"
case $name in
*-set | *-log | *-fail | *-port | *-grant | *-revoke | *-remove | *-delete | juju-reboot | storage-add) exit 0 ;;
esac
echo "ERROR unexpected call: $call" >&2
exit 99
