# the archive's rustup brings no toolchain; jobs run as ubuntu
retry runuser -u ubuntu -- env HOME=/home/ubuntu rustup default stable
