#!/bin/bash
# apt-cacher-ng as a plain process, so that guests, who reach this machine only, can install packages from
# http://ADDRESS:PORT/deb.debian.org/debian. It reaches the mirror as this machine's apt does: same mirror,
# same proxy.
#
# usage: apt-cache.sh ADDRESS PORT FOLDER
set -eu
address=$1 port=$2 folder=$3
# Where the port is taken, apt-cacher-ng complains and stays, deaf.
if (exec 3<>"/dev/tcp/$address/$port") 2>/dev/null; then
  echo "cannot listen on $address:$port: another program does"
  exit 1
fi
mkdir -p "$folder/conf" "$folder/cache" "$folder/log"

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 'Label: Debian' 2>/dev/null | head -n 1)
eval "$(apt-config shell proxy Acquire::http::Proxy)"
{
  echo "CacheDir: $folder/cache"
  echo "LogDir: $folder/log"
  echo "SupportDir: /usr/lib/apt-cacher-ng"
  echo "SocketPath: $folder/socket"
  echo "Remap-debian: deb.debian.org/debian ; ${mirror:-http://deb.debian.org/debian/}"
  echo "ExThreshold: 4"
  case ${proxy:-} in "" | DIRECT) ;; *) echo "Proxy: $proxy" ;; esac
} >"$folder/conf/acng.conf"
exec apt-cacher-ng -c "$folder/conf" ForeGround=1 "Port=$port" "BindAddress=$address"
