# every archive URL of the image's own sources becomes the mirror; suites and components stay
if [ -n "$APT_MIRROR" ]; then
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    # repositories that later sections add, when they have run before
    case ${file##*/} in github-cli.list | dotnet-*) continue ;; esac
    sed -i -E \
      -e "s#^(deb(-src)?( \[[^]]*\])?) +https?://[^ ]+#\1 $APT_MIRROR#" \
      -e "s#^URIs:.*#URIs: $APT_MIRROR#" "$file"
  done
  # else cloud-init writes the stock sources anew on a runner's first boot
  install -d /etc/cloud/cloud.cfg.d
  printf 'apt:\n  preserve_sources_list: true\n' > /etc/cloud/cloud.cfg.d/99-image-builder-apt.cfg
fi
# for the operator's script too, which does not have the variables; it may hold credentials, and clean.sh removes it
# by way of tmpfs: a block of the disk that once held a password may outlive its file, discard takes whole runs only
if [ -n "${http_proxy:-}${https_proxy:-}" ]; then
  umask 077
  {
    [ -z "${http_proxy:-}" ] || echo "Acquire::http::Proxy \"$http_proxy\";"
    [ -z "${https_proxy:-}" ] || echo "Acquire::https::Proxy \"$https_proxy\";"
  } > /run/image-builder/apt-proxy.conf
  ln -sfn /run/image-builder/apt-proxy.conf /etc/apt/apt.conf.d/90image-builder-proxy
fi
