for unit in apt-daily.timer apt-daily-upgrade.timer apt-daily.service apt-daily-upgrade.service; do
  systemctl mask "$unit"
done
if dpkg-query -W -f '${Status}' unattended-upgrades 2> /dev/null | grep -q 'ok installed'; then
  apt-get -q -y purge unattended-upgrades
fi
