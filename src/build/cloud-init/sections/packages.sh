# what an upgrade at boot was stopped in the middle of
dpkg --configure -a
# by default an index that cannot be fetched is a warning, and what it lists is missed later, or silently old
retry apt-get -q -o APT::Update::Error-Mode=any update
options='-q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold'
# dist-upgrade, because plain upgrade holds back the packages that need new ones: kernels
# shellcheck disable=SC2086 # one word per option
retry apt-get $options dist-upgrade
if [ -n "$PACKAGES" ]; then
  # shellcheck disable=SC2086 # one word per option and package
  retry apt-get $options --no-install-recommends install $PACKAGES
fi
# github-runner writes docker's configuration there at boot, whether or not the package made it
install -d /etc/docker
