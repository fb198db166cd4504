retry snap wait system seed.loaded
for instruction in $SNAPS; do
  name=${instruction%%[=:]*}
  channel=
  case $instruction in *=*) channel=${instruction#*=} channel=--channel=${channel%%:*} ;; esac
  classic=
  case $instruction in *:classic) classic=--classic ;; esac
  # shellcheck disable=SC2086 # empty words vanish
  snap list "$name" > /dev/null 2>&1 || retry snap install "$name" $channel $classic
  # runners are cloned by the dozen: no cluster and no collector may run in one before a job or its operator
  # starts it, or each boot pays for it
  case $name in microk8s | opentelemetry-collector) snap stop --disable "$name" ;; esac
done
