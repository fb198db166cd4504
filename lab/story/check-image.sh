# Run in a server booted from a published image; prints "ok NAME" or "FAIL NAME: WHY" for each thing that must
# hold. Standard input: texts that must be nowhere on the disk, one a line. Variables: SERVER_ID PACKAGES
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
check "no package lists" sh -c '! ls /var/lib/apt/lists/*Packages*'
check "no build log" test ! -e /var/log/image-builder.log
# the running server's own records name it and nothing else, so the whole disk can be searched
found=$(grep -rlaF -f "$forbidden" --exclude-dir=proc --exclude-dir=sys --exclude-dir=run --exclude-dir=dev / | head -n 5)
if [ -z "$found" ]; then echo "ok no file holds the secret, the builder's key or the build's id"
else echo "FAIL no file holds the secret, the builder's key or the build's id: $(echo $found)"; fi
rm -f "$forbidden"
