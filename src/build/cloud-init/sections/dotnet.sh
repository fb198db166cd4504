# resolute's archive lacks the .NET releases that actions are still made for
if ! command -v add-apt-repository > /dev/null; then
  retry apt-get -q -o APT::Update::Error-Mode=any update
  retry apt-get -q -y -o DPkg::Lock::Timeout=600 --no-install-recommends install software-properties-common
fi
retry add-apt-repository --yes --no-update ppa:dotnet/backports
