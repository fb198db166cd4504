# Takes out of the guest what belongs to the build and to this one machine. The next boot is a first boot.
set -eux
shopt -s nullglob dotglob

# forget FILE...: overwrites what is in them before they go. A single freed block between used ones is never
# discarded, so it would be in the image, readable by whoever searches the disk
forget() {
  local file
  for file in "$@"; do
    [ ! -f "$file" ] || [ -L "$file" ] || shred --iterations=0 --zero "$file"
    rm -f "$file"
  done
}
forget_below() {
  local file
  # without a folder find would take the one we are in
  [ $# -gt 0 ] || return 0
  find "$@" -xdev -type f -print0 2> /dev/null | while IFS= read -r -d '' file; do forget "$file"; done
  rm -rf "$@"
}

# the build's own traces
rm -rf /run/image-builder /run/image-builder-script
forget /var/log/image-builder.log
rm -rf /run/systemd/system/snapd.service.d/image-builder.conf /etc/apt/apt.conf.d/90image-builder-proxy

# caches
apt-get clean
rm -rf /var/lib/apt/lists/* /var/lib/apt/periodic/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
rm -f /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache /var/lib/dpkg/*-old
rm -rf /var/lib/snapd/cache/*
rm -rf /var/crash/* /var/lib/systemd/coredump/* /var/tmp/*
find /tmp -xdev -mindepth 1 -delete
for home in /root /home/*; do
  # home of `runner` is a link to ubuntu's
  [ ! -L "$home" ] || continue
  rm -rf "$home/.cache" "$home/.npm" "$home/.node-gyp" "$home/.yarn/cache"
  rm -rf "$home/.cargo/registry" "$home/.cargo/git" "$home/.rustup/tmp" "$home/.rustup/downloads"
  rm -rf "$home/go/pkg/mod/cache"
  # histories of shells and editors
  forget "$home"/.*_history "$home/.lesshst" "$home/.viminfo" "$home/.wget-hsts" "$home/.sudo_as_admin_successful"
  # the builder's key, wherever cloud-init put it, and whom the script logged in to
  forget "$home"/.ssh/authorized_keys* "$home"/.ssh/known_hosts*
done

# this machine's identity; cloud-init makes a new one
forget /etc/ssh/ssh_host_*
forget_below /var/lib/cloud/instances
# `--configs all` is not known to every cloud-init; without it the seed and instance data still go
cloud-init clean --logs --machine-id --seed --configs all 2> /dev/null || cloud-init clean --logs --machine-id --seed
rm -rf /var/lib/cloud/instances /var/lib/cloud/instance /var/lib/cloud/data /var/lib/cloud/sem
rm -f /etc/netplan/50-cloud-init.yaml /etc/udev/rules.d/70-persistent-net.rules
rm -f /var/lib/dhcp/* /var/lib/NetworkManager/*.lease
forget /var/lib/systemd/random-seed /var/lib/systemd/credential.secret
[ ! -d /var/lib/dbus ] || ln -sf /etc/machine-id /var/lib/dbus/machine-id

# logs: rotated ones go, live ones are emptied, and who would write of this session's end does so in vain
journalctl --relinquish-var || echo "the journal has no place in memory"
for unit in syslog.socket rsyslog.service; do
  if systemctl cat "$unit" > /dev/null 2>&1; then systemctl stop "$unit"; fi
done
forget_below /var/log/journal/*
find /var/log -type f \( -name '*.gz' -o -name '*.xz' -o -name '*.[0-9]' -o -name '*.old' \) -print0 |
  while IFS= read -r -d '' file; do forget "$file"; done
# emptied by their writers' own file, which stays open
find /var/log -type f -size +0 -exec shred --iterations=0 --zero --exact {} + -exec truncate -s 0 {} +

# a swap file is as big as the memory of a machine that was not this one's clone
while read -r swap _; do
  case $swap in /dev/* | Filename) continue ;; esac
  swapoff "$swap"
  rm -f "$swap"
  sed -i "\\#^${swap}[[:space:]]#d" /etc/fstab
done < /proc/swaps

df -h / | tail -n 1
sync
# file systems on which this has no effect are told of as 0 bytes, or refuse; the image is then merely larger
fstrim -av || echo "nothing could be trimmed"
sync
