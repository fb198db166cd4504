name=actions-runner-linux-$RUNNER_ARCH-$RUNNER_VERSION.tar.gz
url=$RUNNER_MIRROR/download/v$RUNNER_VERSION/$name
home=/home/ubuntu/actions-runner
work=$(mktemp -d)
trap 'rm -rf "$work" "$home.new"' EXIT

# fetch URL FILE: false only when the mirror has no such thing; any other trouble fails the section, so that nobody
# who cuts a connection turns verification off
fetch() {
  local status
  retry get "$@"
  status=$(cat "$work/status")
  [ "$status" != 404 ]
}
get() {
  curl --silent --show-error --location --write-out '%{http_code}' --output "$2" "$1" > "$work/status" || return 1
  case $(cat "$work/status") in 200 | 404) ;; *)
    echo "E: $1 answers HTTP $(cat "$work/status")" >&2
    return 1
    ;;
  esac
}

if ! fetch "$url" "$work/$name"; then
  echo "E: $url answers HTTP 404" >&2
  exit 1
fi
sum=
if fetch "$url.sha256" "$work/sum"; then
  sum=$(grep -oiwE '[0-9a-f]{64}' "$work/sum" | head -n 1 || true)
  [ -n "$sum" ] || {
    echo "E: $url.sha256 holds no SHA-256" >&2
    exit 1
  }
elif fetch "$RUNNER_MIRROR/tag/v$RUNNER_VERSION" "$work/notes"; then
  # the release's notes name each file with its hash behind it, whatever markup is between them
  sum=$(tr '\n' ' ' < "$work/notes" | grep -oE "$name.{0,300}" | grep -oiwE '[0-9a-f]{64}' | head -n 1 || true)
fi
if [ -z "$sum" ]; then
  echo "WARNING: the runner is not verified: neither $url.sha256 nor the release's notes hold its SHA-256"
elif ! echo "${sum,,}  $work/$name" | sha256sum --check --strict --status; then
  echo "E: $url does not have the SHA-256 $sum that its release names" >&2
  exit 1
fi

# beside the old one first, so that a half-unpacked runner is never in its place
rm -rf "$home.new"
install -d "$home.new"
tar -xzf "$work/$name" -C "$home.new"
test -x "$home.new/run.sh" || {
  echo "E: $name holds no run.sh" >&2
  exit 1
}
echo "$RUNNER_VERSION" > "$home.new/.image-builder-version"
chown -R ubuntu:ubuntu "$home.new"
rm -rf "$home"
mv "$home.new" "$home"
