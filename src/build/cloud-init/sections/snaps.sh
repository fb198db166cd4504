# by a drop-in on tmpfs, for this boot alone: what `snap set system` is told shows in the process list, and stays in
# /etc/environment
if [ -n "${http_proxy:-}${https_proxy:-}" ]; then
  (
    umask 077
    for name in http_proxy https_proxy no_proxy; do
      [ -z "${!name:-}" ] || printf '%s="%s"\n' "$name" "$(sed 's/["\\$`]/\\&/g' <<< "${!name}")"
    done > /run/image-builder/snapd.env
  )
  install -d /run/systemd/system/snapd.service.d
  printf '[Service]\nEnvironmentFile=-/run/image-builder/snapd.env\n' \
    > /run/systemd/system/snapd.service.d/image-builder.conf
  systemctl daemon-reload
  systemctl restart snapd.service
fi
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
