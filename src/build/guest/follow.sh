# Prints the recipe's progress as it comes and ends when cloud-init has finished, with its result as last line.
seen=0
while :; do
  finished=no
  [ ! -f /run/cloud-init/result.json ] || finished=yes
  if [ -f /run/image-builder/progress ]; then
    tail -n "+$((seen + 1))" /run/image-builder/progress
    seen=$(wc -l < /run/image-builder/progress)
  fi
  [ "$finished" = no ] || break
  sleep 1
done
if [ ! -f /run/image-builder/done ]; then
  echo "the log's end, section $(cat /run/image-builder/failed 2> /dev/null || echo unknown):"
  tail -n 20 /var/log/image-builder.log 2>&1
fi
echo "failed=$(cat /run/image-builder/failed 2> /dev/null)"
echo "done=$(cat /run/image-builder/done 2> /dev/null)"
echo "result=$(tr -d '\n' < /run/cloud-init/result.json)"
