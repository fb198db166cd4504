# before anything else uses apt: an upgrade at boot would hold its locks
units='apt-daily.timer apt-daily-upgrade.timer apt-daily.service apt-daily-upgrade.service'
for unit in $units; do
  if systemctl cat "$unit" > /dev/null 2>&1; then systemctl stop "$unit"; fi
done
# shellcheck disable=SC2086 # one word per unit
systemctl mask $units
if dpkg-query -W -f '${Status}' unattended-upgrades 2> /dev/null | grep -q 'ok installed'; then
  apt-get -q -y -o DPkg::Lock::Timeout=600 purge unattended-upgrades
fi
