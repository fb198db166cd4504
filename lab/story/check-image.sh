# Run in a server booted from a published image; prints "ok NAME" or "FAIL NAME: WHY" for each thing that must
# hold. Standard input: texts that must be nowhere on the disk, one a line. Variables: SERVER_ID PACKAGES SNAPS
# SECRET_SHA256 RUNNER_VERSION.
exec 2>&1
check() {
  local name=$1 out
  shift
  if out=$("$@" 2>&1); then echo "ok $name"; else echo "FAIL $name: $(echo "$out" | tail -n 1)"; fi
}
forbidden=$(mktemp -p /run)
cat > "$forbidden"

check "runner is installed" test -x /home/ubuntu/actions-runner/run.sh
check "runner belongs to ubuntu" test "$(stat -c %U /home/ubuntu/actions-runner/run.sh)" = ubuntu
check "runner has the newest version" grep -qx "$RUNNER_VERSION" /home/ubuntu/actions-runner/.image-builder-version
check "runner takes --jitconfig" sh -c 'grep -q jitconfig /home/ubuntu/actions-runner/run.sh'
check "GARM finds the runner" test -x /home/runner/actions-runner/run.sh
for package in $PACKAGES; do check "package $package" dpkg-query -W "$package"; done
# what the boot scripts of github-runner and GARM rely on
check "runner's folder is writable by ubuntu" sudo -u ubuntu test -w /home/ubuntu/actions-runner
check "GARM's runner is ubuntu" test "$(id -u runner):$(id -g runner)" = "$(id -u ubuntu):$(id -g ubuntu)"
check "ubuntu may do all by sudo" sudo -u ubuntu sudo -n true
check "ubuntu's programs are on the PATH" sh -c 'su -l ubuntu -c "echo \$PATH" | grep -q /home/ubuntu/.local/bin'
check "services of ubuntu live without a login" test -e /var/lib/systemd/linger/ubuntu
for command in adduser nft ip jq socat logger hostnamectl snap; do
  check "command $command" sh -c "PATH=\$PATH:/usr/sbin:/sbin command -v $command"
done
for group in adm lxd; do check "group $group" getent group "$group"; done
check "docker may be configured" test -d /etc/docker
case " $PACKAGES " in *" docker.io "*)
  check "command docker" command -v docker
  check "docker is a service" systemctl cat docker.service
  check "docker runs" systemctl is-active docker.service
  ;;
esac
check "nftables is a service" systemctl cat nftables.service
check "all may write to /usr/local/bin" test "$(stat -c %a /usr/local/bin)" = 777
check "congestion control" grep -qx 'net.ipv4.tcp_congestion_control = bbr' /etc/sysctl.d/60-github-runner.conf
check "no unattended upgrades" sh -c '! dpkg-query -W -f "\${Status}" unattended-upgrades | grep -q "ok installed"'
check "no upgrades at boot" test "$(systemctl is-enabled apt-daily.timer apt-daily-upgrade.timer | sort -u)" = masked
# of the store the lab has a stand-in that records what it is told
for instruction in $SNAPS; do
  name=${instruction%%[=:]*}
  check "snap $name (stand-in of the store)" snap list "$name"
done
check "classic snap and channel (stand-in of the store)" sh -c \
  'grep -qx "install microk8s --classic" "$1" && grep -qx "install aproxy --channel=latest/edge" "$1"' - /var/lib/snap-stand-in/calls
check "collector and cluster do not start (stand-in of the store)" sh -c \
  'for s in opentelemetry-collector microk8s; do grep -qx "stop --disable $s" "$1" || exit 1; done' - /var/lib/snap-stand-in/calls
check "user ubuntu is in docker, lxd, microk8s" sh -c 'for g in docker lxd microk8s; do id -nG ubuntu | grep -qw $g || exit 1; done'
check "script's effect" grep -qx "$SECRET_SHA256" /opt/story/secret.sha256
check "cloud-init is done without errors" sh -c 'tr -d " \n" < /run/cloud-init/result.json | grep -q "\"errors\":\[\]"'
check "cloud-init ran for this server" test "$(cat /var/lib/cloud/data/instance-id)" = "$SERVER_ID"
check "cloud-init knows no earlier server" test "$(ls /var/lib/cloud/instances)" = "$SERVER_ID"
check "this server's user-data ran" test -f /root/first-boot
check "host name is this server's" sh -c 'hostname | grep -q image-proof'
check "machine id is new" sh -c 'grep -qE "^[0-9a-f]{32}$" /etc/machine-id'
check "one key may log in, this server's" test "$(cat /home/ubuntu/.ssh/authorized_keys | wc -l)" = 1
check "no shell history" sh -c '! ls /root/.bash_history /home/*/.bash_history'
check "no history of any program" sh -c '! ls /root/.*_history /home/*/.*_history /root/.lesshst /root/.wget-hsts'
check "no proxy" sh -c '! grep -rqi proxy /etc/apt/apt.conf.d /etc/environment && ! ls /etc/apt/apt.conf.d | grep -q proxy'
check "no cached packages" sh -c '! ls /var/cache/apt/archives/*.deb'
check "no caches of root or ubuntu" sh -c '! ls -d /root/.cache /home/ubuntu/.cache /root/.npm /home/ubuntu/.npm'
check "no crash dumps" sh -c '! ls /var/crash/* /var/lib/systemd/coredump/*'
check "no swap file" sh -c '! grep -q "^/.* file" /proc/swaps'
check "no key of another machine" sh -c '! find /etc/ssh -name "ssh_host_*" ! -newer /etc/machine-id | grep -q .'
check "no package lists" sh -c '! ls /var/lib/apt/lists/*Packages*'
check "no build log" test ! -e /var/log/image-builder.log
# the running server's own records name it and nothing else, so the whole disk can be searched
found=$(grep -rlaF -f "$forbidden" --exclude-dir=proc --exclude-dir=sys --exclude-dir=run --exclude-dir=dev / | head -n 5)
if [ -z "$found" ]; then echo "ok no file holds the secret, the builder's key or the build's id"
else echo "FAIL no file holds the secret, the builder's key or the build's id: $(echo $found)"; fi
rm -f "$forbidden"
