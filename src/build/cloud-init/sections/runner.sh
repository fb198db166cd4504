name=actions-runner-linux-$RUNNER_ARCH-$RUNNER_VERSION.tar.gz
url=$RUNNER_MIRROR/download/v$RUNNER_VERSION/$name
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
retry curl --fail --silent --show-error --location --output "$work/$name" "$url"
if curl --fail --silent --location --output "$work/sum" "$url.sha256"; then
  echo "$(cut -d' ' -f1 "$work/sum")  $work/$name" | sha256sum --check
else
  echo "the mirror has no $name.sha256: not verified"
fi
install -d -o ubuntu -g ubuntu /home/ubuntu/actions-runner
tar -xzf "$work/$name" -C /home/ubuntu/actions-runner
chown -R ubuntu:ubuntu /home/ubuntu/actions-runner
test -x /home/ubuntu/actions-runner/run.sh
echo "$RUNNER_VERSION" > /home/ubuntu/actions-runner/.image-builder-version
