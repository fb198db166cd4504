echo github-runner > /etc/hostname
hostname github-runner
grep -qw github-runner /etc/hosts || echo '127.0.1.1 github-runner' >> /etc/hosts
