# Prints what is in the guest: `@PART` begins a part, `!PART: WHY` says that a part could not be read. A tool
# that is not there has nothing installed; that dpkg cannot be read is an error.
set -u
part() {
  local name=$1 out status=0
  shift
  # standard input is this script
  out=$("$@" 2> "$errors" < /dev/null) || status=$?
  if [ "$status" -eq 0 ]; then printf '@%s\n%s\n' "$name" "$out"
  else
    # the last that npm says is where its log is
    echo "!$name: exit code $status: $(grep -v 'complete log of this run' "$errors" | tail -n 1 | tr -d '\r')"
  fi
}
errors=$(mktemp -p /run)
trap 'rm -f "$errors"' EXIT

printf '@os\n'
cat /etc/os-release || exit 1
printf '\n@serial\n'
sed -n 's/^serial: *//p' /etc/cloud/build.info 2> /dev/null
printf '@kernel\n%s\n' "$(uname -r)"
# the one that the next boot takes
find /boot -maxdepth 1 -name 'vmlinuz-*' -printf '%f\n' | sed 's/^vmlinuz-//' | sort -V | tail -n 1
printf '@deb\n'
# shellcheck disable=SC2016 # dpkg expands
dpkg-query -W -f '${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\n' || exit 1
if command -v snap > /dev/null; then part snap snap list --color=never --unicode=never; fi
if command -v npm > /dev/null; then part npm npm ls --global --json --depth 0; fi
if python3 -c 'import pip' 2> /dev/null; then
  part pip python3 -m pip list --format json --disable-pip-version-check
fi
printf '@runner\n'
cat /home/ubuntu/actions-runner/.image-builder-version
part sections cat /run/image-builder/sections.tsv
