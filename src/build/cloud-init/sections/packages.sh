retry apt-get -q update
# dist-upgrade, because plain upgrade holds back the packages that need new ones: kernels
retry apt-get -q -y -o Dpkg::Options::=--force-confold dist-upgrade
if [ -n "$PACKAGES" ]; then
  # shellcheck disable=SC2086 # one word per package
  retry apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confold install $PACKAGES
fi
