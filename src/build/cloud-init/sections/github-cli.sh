# the project's own repository; its keys are the ones that cli/cli's docs/install_linux.md names
keys='2C6106201985B60E6C7AC87323F3D4EA75716059 7F38BBB59D064DBCB3D84D725612B36462313325'
packages=https://cli.github.com/packages
keyring=/usr/share/keyrings/githubcli-archive-keyring.gpg
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
retry curl --fail --silent --show-error --location --output "$work/keyring" "$packages/githubcli-archive-keyring.gpg"
# the fingerprint behind each primary key; those of subkeys are not listed
gpg --homedir "$work" --show-keys --with-colons "$work/keyring" |
  awk -F: '$1 == "pub" { primary = 1 } $1 == "fpr" && primary { print $10; primary = 0 }' > "$work/found"
[ -s "$work/found" ] || {
  echo "E: $packages/githubcli-archive-keyring.gpg holds no key" >&2
  exit 1
}
while read -r key; do
  case " $keys " in *" $key "*) ;; *)
    echo "E: $packages/githubcli-archive-keyring.gpg holds the key $key, which is not GitHub CLI's" >&2
    exit 1
    ;;
  esac
done < "$work/found"
install -m 644 "$work/keyring" "$keyring"
echo "deb [arch=$(dpkg --print-architecture) signed-by=$keyring] $packages stable main" \
  > /etc/apt/sources.list.d/github-cli.list
