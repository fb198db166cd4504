# usage: systemd.sh, in mount, PID, UTS and IPC namespaces of its own. Runs this machine's systemd as PID 1 over a
# copy-on-write view of its root; nothing but what a test starts runs under it.
set -eu
mount -t tmpfs sandbox /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay sandbox -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
root=/mnt/root
mount -t proc proc $root/proc
mount --rbind /dev $root/dev
mount -t sysfs sysfs $root/sys
mount -t tmpfs sandbox $root/run
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 $root/sys/fs/cgroup
else
  mount -t tmpfs sandbox $root/sys/fs/cgroup
  mkdir $root/sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup $root/sys/fs/cgroup/systemd
fi
mkdir -p $root/run/systemd/system
printf '[Unit]\nDefaultDependencies=no\n' > $root/run/systemd/system/only.target
exec chroot $root env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --system --unit=only.target --log-target=console --show-status=false
