# Runs the operator's script with its secrets as environment variables. Both lie on tmpfs, readable by root
# alone; the secrets are NUL-separated NAME=value pairs, so any byte but NUL arrives as it was.
set -eu
folder=/run/image-builder-script
trap 'rm -rf "$folder"' EXIT
while IFS= read -r -d '' pair; do
  export "${pair?}"
done < "$folder/secrets"
rm -f "$folder/secrets"
export HOME=/root
cd /root
bash "$folder/script" < /dev/null 2>&1
