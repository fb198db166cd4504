for group in docker microk8s lxd sudo adm; do
  getent group "$group" > /dev/null || groupadd --system "$group"
  usermod --append --groups "$group" ubuntu
done
chmod 777 /usr/local/bin
install -d -o ubuntu -g ubuntu /home/ubuntu/.local /home/ubuntu/.local/bin
grep -qs '\.local/bin' /home/ubuntu/.profile ||
  printf '%s\n' "PATH=\"\$HOME/.local/bin:\$PATH\"" >> /home/ubuntu/.profile
chown ubuntu:ubuntu /home/ubuntu/.profile
# lingering, so that user services of a job live without a login session
install -d /var/lib/systemd/linger
touch /var/lib/systemd/linger/ubuntu
# GARM logs in as `runner` and looks for /home/runner/actions-runner
if ! getent passwd runner > /dev/null; then
  useradd --non-unique --uid "$(id -u ubuntu)" --gid "$(id -g ubuntu)" --no-create-home \
    --home-dir /home/ubuntu --shell /bin/bash runner
fi
ln -sfn /home/ubuntu /home/runner
