if [ -n "${http_proxy:-}" ]; then
  snap set system proxy.http="$http_proxy" proxy.https="${https_proxy:-$http_proxy}"
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
done
if [ -n "${http_proxy:-}" ]; then snap unset system proxy.http proxy.https; fi
