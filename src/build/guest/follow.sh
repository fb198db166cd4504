# Prints the recipe's log as it grows and ends when cloud-init has finished, with its result as last lines.
log=/var/log/image-builder.log
# a section that prints more than this between two looks is not read but for its end
most=$((256 << 10))
seen=0
while :; do
  finished=no
  [ ! -f /run/cloud-init/result.json ] || finished=yes
  size=$(stat -c %s "$log" 2> /dev/null || echo 0)
  if [ "$((size - seen))" -gt "$most" ]; then
    printf '\n== %s bytes of the log are left out\n' "$((size - seen - most))"
    seen=$((size - most))
  fi
  if [ "$size" -gt "$seen" ]; then
    tail -c "+$((seen + 1))" "$log" | head -c "$((size - seen))"
    seen=$size
  fi
  [ "$finished" = no ] || break
  sleep 1
done
printf '\nfailed=%s\n' "$(cat /run/image-builder/failed 2> /dev/null)"
echo "done=$(cat /run/image-builder/done 2> /dev/null)"
echo "result=$(tr -d '\n' < /run/cloud-init/result.json)"
