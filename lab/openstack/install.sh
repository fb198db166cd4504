#!/bin/bash
# Installs every Debian package of the lab: control plane, guests, image build, apt cache.
# A no-op (one dpkg call) when they are there. Starts no service.
set -eu
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive

PACKAGES="mariadb-server rabbitmq-server
 keystone glance-api placement-api
 nova-api nova-conductor nova-scheduler nova-compute nova-compute-kvm
 neutron-server neutron-linuxbridge-agent neutron-dhcp-agent
 libvirt-daemon-system qemu-system-x86 qemu-utils genisoimage
 uwsgi-core uwsgi-plugin-python3
 python3-openstackclient python3-pymysql python3-memcache
 iptables ebtables ipset conntrack dnsmasq-base iproute2 util-linux openssh-client curl jq procps
 mmdebstrap grub-pc-bin grub-common e2fsprogs fdisk cpio apt-cacher-ng"

missing() {
  for package in $PACKAGES; do
    grep -qxF "$package ok installed" <<<"$present" || echo "$package"
  done
}
present=$(dpkg-query -W -f '${Package} ${Status}\n' $PACKAGES 2>/dev/null | sed 's/ install ok/ ok/' || true)
wanted=$(missing)
if [ -z "$wanted" ]; then echo "all packages are installed"; exit 0; fi
echo "installing:" $wanted

# The maintainer scripts would start services and ask for databases; the lab runs its own instances.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
  trap 'rm -f $policy' EXIT
fi
debconf-set-selections <<'D'
keystone keystone/configure_db boolean false
keystone keystone/create-admin-tenant boolean false
keystone keystone/register-endpoint boolean false
glance-common glance/configure_db boolean false
glance-api glance/register-endpoint boolean false
placement-api placement/configure_db boolean false
placement-api placement/register-endpoint boolean false
placement-common placement/configure_db boolean false
nova-common nova/configure_db boolean false
nova-common nova-api/configure_db boolean false
nova-api nova/register-endpoint boolean false
neutron-common neutron/configure_db boolean false
neutron-server neutron/register-endpoint boolean false
neutron-api neutron/register-endpoint boolean false
apt-cacher-ng apt-cacher-ng/tunnelenable boolean false
D

# An earlier run may have been ended in the middle; another program may hold the lock.
dpkg --configure -a
lock="-o DPkg::Lock::Timeout=900"
apt-get -q $lock update
apt-get -y -q $lock -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-confdef \
  -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io install --no-install-recommends $PACKAGES
