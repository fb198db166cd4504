# usage: sandbox.sh FOLDER, in mount, UTS and IPC namespaces of its own. Runs FOLDER/script in a copy-on-write view of
# this machine's root, with the stand-ins of FOLDER/bin before everything else and FOLDER/seed laid over it. What the
# script changes is gone at its end; `tree` in it prints all that is different, contents by their hash.
set -eu
folder=$1
mount -t tmpfs sandbox /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay sandbox -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
root=/mnt/root
mount -t proc -o ro proc $root/proc
for path in run tmp dev; do mount -t tmpfs sandbox "$root/$path"; done
for device in null zero urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
touch "$root/dev/console"
cp -r "$folder/seed/." "$root/"
cp "$folder"/bin/* $root/usr/local/sbin/
cp "$folder/script" $root/run/script
mkdir $root/run/outside
mount --bind /mnt/upper $root/run/outside
cat > $root/usr/local/sbin/tree <<'END'
#!/bin/sh
cd /run/outside
find . -path ./usr/local/sbin -prune -o -path './var/log/image-builder.log' -prune -o -printf '%y %m %U:%G %p %l\n' | sort
find . -path ./usr/local/sbin -prune -o -path './var/log/image-builder.log' -prune -o -type f -print0 | sort -z |
  xargs -0 sha256sum
END
chmod +x $root/usr/local/sbin/*
exec chroot $root /bin/bash /run/script
