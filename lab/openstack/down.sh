#!/bin/bash
# Stops everything that up.sh started, guests included; leaves no process, interface, namespace, mount or
# firewall rule. `--wipe` removes databases, images, disks, configuration and logs, too.
set -u
. "$(dirname "$(readlink -f "$0")")/lib.sh"
take_lock
rm -f "$LAB_DIR/READY"

# A tap's other end may go with its namespace at this very moment: gone is gone.
remove_link() {
  [ -e "/sys/class/net/$1" ] || return 0
  ip link del "$1" 2>/dev/null || [ ! -e "/sys/class/net/$1" ] || say "cannot remove the interface $1"
}

for name in dhcpagent lbagent nova-compute nova-scheduler nova-conductor nova-api neutron glance placement keystone; do
  stop $name 9>&- &
done
wait
# what service.sh started beside the control plane
for file in "$RUN"/*.pid; do
  name=$(basename "$file" .pid)
  case $name in rabbitmq* | mariadb* | libvirtd* | epmd | '*') ;; *) stop "$name" ;; esac
done
if [ "$LAB_VIRT" = libvirt ]; then
  # only domains whose disk lies in our directory; after a restart Nova finds them shut off
  for domain in $(virsh -c qemu:///system list --name 2>/dev/null); do
    virsh -c qemu:///system domblklist "$domain" 2>/dev/null | grep -q "$STATE/nova/instances/" || continue
    virsh -c qemu:///system destroy "$domain" >/dev/null && say "guest $domain stopped"
  done
  # guests whose libvirtd died before
  for pid in $(pgrep -f -- "^[^ ]*qemu-system-x86_64 .*$STATE/nova/instances/"); do
    kill -KILL "$pid" && say "guest process $pid killed"
  done
  if [ "${1:-}" = --wipe ]; then
    for domain in $(virsh -c qemu:///system list --all --name 2>/dev/null | grep '^instance-'); do
      virsh -c qemu:///system undefine "$domain" >/dev/null
    done
  fi
fi
stop rabbitmq 200 9>&- &
stop mariadb 200 9>&- &
stop libvirtd 9>&- &
wait
stop epmd

if [ "$LAB_VIRT" = libvirt ]; then
  for folder in "$STATE"/neutron/dhcp/*/; do
    [ -d "$folder" ] || continue
    network=$(basename "$folder")
    if pid=$(cat "$folder/pid" 2>/dev/null) && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q "$folder"; then
      kill "$pid"
      while [ -n "$(start_of "$pid")" ]; do sleep 0.05; done
    fi
    if ip netns list | grep -q "^qdhcp-$network"; then ip netns del "qdhcp-$network"; fi
    bridge=brq${network:0:11}
    for port in /sys/class/net/"$bridge"/brif/*; do
      case ${port##*/} in tap*) remove_link "${port##*/}" ;; esac
    done
    remove_link "$bridge"
  done
  remove_link lab-h
  # `ip netns` turns this folder into a mount point and never takes that back
  if mountpoint -q /run/netns && [ -z "$(ls /run/netns)" ]; then umount /run/netns; fi
  for family in iptables ip6tables; do
    rules=$($family-save 2>/dev/null) || continue
    case $rules in *neutron-*) grep -v neutron- <<<"$rules" | $family-restore ;; esac
  done
  for table in filter nat; do
    case $(ebtables -t $table -L 2>/dev/null) in *neutron*) ebtables -t $table -F; ebtables -t $table -X ;; esac
  done
  ipset list -n 2>/dev/null | grep -E '^N?IPv[46]' | while read -r set; do ipset destroy "$set"; done
fi
if [ "${1:-}" = --wipe ]; then
  rm -rf "$STATE" "$LOG" "$RUN" "$ETC" "$LAB_DIR/clouds.yaml"
  rmdir "$LAB_DIR"
fi
say "down"
