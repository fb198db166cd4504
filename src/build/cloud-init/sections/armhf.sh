# a 64-bit system that also runs 32-bit programs: stock sources stay with its own architecture
native=$(dpkg --print-architecture)
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
  [ -f "$file" ] || continue
  sed -i -E "s#^(deb(-src)?) +([^[ ])#\1 [arch=$native] \3#" "$file"
done
for file in /etc/apt/sources.list.d/*.sources; do
  [ -f "$file" ] || continue
  grep -q '^Architectures:' "$file" || sed -i "/^Types:/a Architectures: $native" "$file"
done
dpkg --add-architecture armhf
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
cat > /etc/apt/sources.list.d/image-builder-armhf.sources <<END
Types: deb
URIs: ${APT_MIRROR:-http://ports.ubuntu.com/ubuntu-ports}
Suites: $codename $codename-updates $codename-security
Components: main universe restricted multiverse
Architectures: armhf
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg
END
# else cloud-init writes the stock sources anew on a runner's first boot
install -d /etc/cloud/cloud.cfg.d
printf 'apt:\n  preserve_sources_list: true\n' > /etc/cloud/cloud.cfg.d/99-image-builder-apt.cfg
