# Takes out of the guest what belongs to the build and to this one machine. The next boot is a first boot.
set -eux
rm -rf /run/image-builder /run/image-builder-script /var/log/image-builder.log
rm -f /etc/apt/apt.conf.d/90image-builder-proxy
apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/crash/* /var/tmp/*
find /tmp -mindepth 1 -delete
rm -f /root/.bash_history /root/.wget-hsts /home/*/.bash_history /home/*/.wget-hsts
rm -rf /root/.cache /root/.npm /home/ubuntu/.cache /home/ubuntu/.npm
# the builder's key, wherever cloud-init put it
rm -f /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys
rm -f /etc/ssh/ssh_host_*
# `--configs all` is not known to every cloud-init; without it the seed and instance data still go
cloud-init clean --logs --machine-id --seed --configs all 2> /dev/null || cloud-init clean --logs --machine-id --seed
rm -rf /var/lib/cloud/instances /var/lib/cloud/instance /var/lib/cloud/data /var/lib/cloud/sem
rm -rf /var/log/journal/*
find /var/log -type f \( -name '*.gz' -o -name '*.1' -o -name '*.old' \) -delete
find /var/log -type f -exec truncate -s 0 {} +
rm -f /var/lib/dhcp/* /var/lib/systemd/random-seed
sync
fstrim -a 2> /dev/null || true
sync
