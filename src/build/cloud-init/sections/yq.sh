case $RUNNER_ARCH in x64) name=yq_linux_amd64 ;; *) name=yq_linux_$RUNNER_ARCH ;; esac
release=$YQ_MIRROR/download/v$YQ_VERSION
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for file in checksums checksums_hashes_order "$name"; do
  retry curl --fail --silent --show-error --location --output "$work/$file" "$release/$file"
done
# a line of `checksums` is a file's name and its hashes in the order of the other file's lines
place=$(grep -nxF SHA-256 "$work/checksums_hashes_order" | cut -d: -f1)
sum=$(awk -v name="$name" -v place="$place" '$1 == name { print $(place + 1) }' "$work/checksums")
if ! echo "$sum  $work/$name" | sha256sum --check --strict --status; then
  echo "E: $release/$name does not have the SHA-256 that the release's checksums name" >&2
  exit 1
fi
install -m 755 "$work/$name" /usr/bin/yq
