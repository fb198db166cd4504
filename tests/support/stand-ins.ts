/**
 * Stand-ins for the programs by which the recipe reaches the network and the system. Each writes its call to
 * /run/calls; those that the recipe asks something answer from files of the sandbox.
 */

/** A program that does nothing but record its call. */
const RECORD = '#!/bin/bash\necho "${0##*/} $*" >> /run/calls\n';

/** Text of each stand-in by its name. */
export const STAND_INS: Readonly<Record<string, string>> = {
  "add-apt-repository": RECORD,
  "apt-get": RECORD,
  "cloud-init": RECORD,
  fstrim: RECORD,
  hostname: RECORD,
  journalctl: RECORD,
  nft: RECORD,
  npm: RECORD,
  runuser: RECORD,
  swapoff: RECORD,
  sync: RECORD,
  /** Knows no unit. */
  systemctl: `${RECORD}[ "$1" != cat ]\n`,
  /** The architecture is the file /srv/architecture. */
  dpkg: `${RECORD}[ "$1" != --print-architecture ] || cat /srv/architecture\n`,
  "dpkg-query": `${RECORD}exit 1\n`,
  /** Remembers in /srv/snaps what is installed. */
  snap: `${RECORD}mkdir -p /srv/snaps
case $1 in
  list) [ -e "/srv/snaps/$2" ] ;;
  install) touch "/srv/snaps/$2" ;;
esac
`,
  /** Its keyring is a file of fingerprints. */
  gpg: `${RECORD}while read -r key; do printf 'pub:-:\\nfpr:::::::::%s:\\nsub:-:\\nfpr:::::::::SUBKEY:\\n' "$key"; done < "\${@: -1}"\n`,
  /** The web is the folder /srv/web, by URL without its scheme; what is not there is HTTP 404. */
  curl: `${RECORD}url=\${*: -1} output= code=no fail=no
while [ $# -gt 0 ]; do
  case $1 in --output) output=$2 ;; --write-out) code=yes ;; --fail) fail=yes ;; http*) url=$1 ;; esac
  shift
done
status=200
if ! cp "/srv/web/\${url#*://}" "$output" 2> /dev/null; then status=404; echo "not here" > "$output"; fi
[ "$code" = no ] || printf %s "$status"
[ "$fail" = no ] || [ "$status" = 200 ] || { echo "curl: (22) $url: $status" >&2; exit 22; }
`,
};
