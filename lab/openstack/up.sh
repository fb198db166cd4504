#!/bin/bash
# Bare Debian 12 (root) -> a working single-node OpenStack (Zed) of plain processes: Keystone, Glance,
# Placement, Nova and Neutron with MariaDB and RabbitMQ. No systemd, no container, no kernel module.
# Settings: see lib.sh. Idempotent: what runs is left alone, and an aborted run is resumed (markers in
# state/done). The file READY exists while the cloud is complete.
set -eu
HERE=$(dirname "$(readlink -f "$0")")
. "$HERE/lib.sh"
take_lock
mkdir -p "$LOG" "$RUN"

SERVICES="mariadb epmd rabbitmq keystone glance placement neutron nova-conductor nova-scheduler nova-api nova-compute"
[ "$LAB_VIRT" = fake ] || SERVICES="$SERVICES libvirtd lbagent dhcpagent"
complete() {
  [ -e "$LAB_DIR/READY" ] || return 1
  for service in $SERVICES; do alive "$service" || return 1; done
  [ "$LAB_VIRT" = fake ] || [ -e /sys/class/net/lab-h ] || return 1
  for port in 5000 9292 8778 8774 9696; do answers $port || return 1; done
}
if complete; then say "the cloud is up"; exit 0; fi
rm -f "$LAB_DIR/READY"

if [ -z "${LAB_NO_INSTALL:-}" ]; then
  "$HERE/install.sh" >>"$LOG/install.log" 2>&1 || { say "cannot install packages; see $LOG/install.log"; exit 1; }
  say "packages are installed"
fi
. "$HERE/configs.sh"
cd /
PYTHON=/usr/bin/python3
SQL="mariadb --defaults-file=/dev/null --socket=$RUN/mysqld.sock -u root"
NOVA="--config-file $ETC/nova.conf" NEUTRON="--config-file $ETC/neutron.conf"
DONE=$STATE/done
mkdir -p "$DONE"

if [ "$LAB_VIRT" = libvirt ]; then
  # veth pair: lab-p goes into neutron's bridge, lab-h is this machine's leg in the guests' network
  ip link show lab-h >/dev/null 2>&1 || ip link add lab-h type veth peer name lab-p
  ip addr replace $HOST_LEG/24 dev lab-h
  ip link set lab-p up
  ip link set lab-h up
fi

# Infrastructure, all at once.
if [ ! -d "$STATE/mysql" ]; then
  rm -rf "$STATE/mysql.new"
  mariadb-install-db --defaults-file=$ETC/my.cnf --datadir=$STATE/mysql.new \
    --auth-root-authentication-method=normal --skip-test-db >>"$LOG/mariadb-install.log" 2>&1
  mv "$STATE/mysql.new" "$STATE/mysql"
  say "database is installed"
fi
start mariadb /usr/sbin/mariadbd --defaults-file=$ETC/my.cnf
start epmd epmd -address 127.0.0.1 -port $EPMD_PORT
start rabbitmq bash -c ". $ETC/rabbitmq-env.sh; mkdir -p \$RABBITMQ_LOG_BASE; exec /usr/lib/rabbitmq/bin/rabbitmq-server"
if [ "$LAB_VIRT" = libvirt ]; then
  # libvirtd reads this fixed path; with stdio_handler = "file" QEMU writes console.log itself (no virtlogd)
  mkdir -p /etc/libvirt /run/libvirt
  cmp -s $ETC/qemu.conf /etc/libvirt/qemu.conf || cp $ETC/qemu.conf /etc/libvirt/qemu.conf
  start libvirtd /usr/sbin/libvirtd --config $ETC/libvirtd.conf --pid-file $RUN/libvirtd-own.pid
  # the first connection makes libvirtd probe QEMU, which takes seconds: meanwhile the rest goes on
  ( until ! alive libvirtd || virsh -c qemu:///system domcapabilities --virttype qemu; do sleep 0.3; done ) >/dev/null 2>&1 9>&- &
fi
wait_ready mariadb 60 $SQL -e 'select 1'

# once NAME FUNCTION DATABASE...: fills a service's databases. Migrations can't be resumed in the middle,
# so one that did not reach its end starts again from empty databases (the service never ran on them).
once() {
  local name=$1 run=$2 database
  shift 2
  [ ! -e "$DONE/$name" ] || return 0
  for database in "$@"; do
    echo "DROP DATABASE IF EXISTS $database; CREATE DATABASE $database CHARACTER SET utf8mb3;"
  done | $SQL
  if ( set -e; $run ) >>"$LOG/sync-$name.log" 2>&1; then
    touch "$DONE/$name"
    say "database of $name is ready"
  else
    say "cannot fill the database of $name; see $LOG/sync-$name.log"
    return 1
  fi
}
sync_keystone() {
  local manage="keystone-manage --config-file $ETC/keystone.conf" url=http://$LAB_HOST:5000/v3/
  $manage db_sync &&
    $manage fernet_setup --keystone-user root --keystone-group root &&
    $manage credential_setup --keystone-user root --keystone-group root &&
    $manage bootstrap --bootstrap-password $ADMIN_PASS --bootstrap-admin-url $url \
      --bootstrap-internal-url $url --bootstrap-public-url $url --bootstrap-region-id RegionOne
}
sync_glance() { glance-manage --config-file $ETC/glance-api.conf db_sync; }
sync_placement() { :; } # the service does it itself (sync_on_startup)
sync_neutron() { neutron-db-manage $NEUTRON --config-file $ETC/ml2.ini upgrade heads; }
sync_nova() {
  nova-manage $NOVA api_db sync &&
    nova-manage $NOVA cell_v2 map_cell0 --database_connection "$DB/nova_cell0?$DBQ" &&
    nova-manage $NOVA db sync &&
    nova-manage $NOVA cell_v2 create_cell --name cell1
}
# step NAME COMMAND...: provisioning over the API, once; each of its parts is idempotent
step() {
  local name=$1
  shift
  [ -e "$DONE/$name" ] || { "$@" && touch "$DONE/$name" && say "$name provisioned"; }
}

( once nova sync_nova nova_api nova nova_cell0 ) & nova_sync=$!
( once neutron sync_neutron neutron ) & neutron_sync=$!
once keystone sync_keystone keystone
start keystone uwsgi --ini $ETC/keystone-uwsgi.ini
once glance sync_glance glance
start glance /usr/bin/glance-api --config-file $ETC/glance-api.conf
once placement sync_placement placement
start placement uwsgi --ini $ETC/placement-uwsgi.ini
wait_ready keystone 90 answers 5000
# conductor and scheduler exit at once when their user or placement's endpoint is missing
step identity $PYTHON $HERE/provision.py identity
wait $neutron_sync
start neutron /usr/bin/neutron-server $NEUTRON --config-file $ETC/ml2.ini --log-file $LOG/neutron.log
wait $nova_sync
amqp_answers() { timeout 5 bash -c "exec 3<>/dev/tcp/$LAB_HOST/5672 && printf 'AMQP\0\0\11\1' >&3 && head -c 4 <&3 | grep -q ."; }
wait_ready rabbitmq 90 amqp_answers
wait_ready placement 90 answers 8778
start nova-conductor /usr/bin/nova-conductor $NOVA --log-file $LOG/nova-conductor.log
start nova-scheduler /usr/bin/nova-scheduler $NOVA --log-file $LOG/nova-scheduler.log
start nova-api /usr/bin/nova-api $NOVA --log-file $LOG/nova-api.log
if [ "$LAB_VIRT" = libvirt ]; then
  wait_ready neutron 120 answers 9696
  start lbagent /usr/bin/neutron-linuxbridge-agent $NEUTRON --config-file $ETC/linuxbridge.ini --log-file $LOG/lbagent.log
  wait_ready libvirtd 120 virsh -c qemu:///system version
fi
logged() { grep -q "$2" "$LOG/$1.log"; }
wait_ready nova-conductor 60 logged nova-conductor 'Starting conductor node'
compute=/usr/bin/nova-compute
[ "$LAB_VIRT" = libvirt ] || compute=$HERE/nova-compute-fake
start nova-compute $compute --config-file $ETC/nova-compute.conf --log-file $LOG/nova-compute.log
wait_ready neutron 120 answers 9696
wait_ready glance 90 answers 9292
wait_ready nova-api 90 answers 8774
step resources $PYTHON $HERE/provision.py resources
say "control plane is ready"
if [ "$LAB_VIRT" = fake ]; then
  # no agent runs: a row that is not stale before agent_down_time lets ML2 bind ports
  $SQL neutron -e "INSERT INTO agents (id,agent_type,\`binary\`,topic,host,admin_state_up,created_at,started_at,heartbeat_timestamp,configurations,\`load\`)
    VALUES (UUID(),'Linux bridge agent','neutron-linuxbridge-agent','N/A','lab',1,UTC_TIMESTAMP(),UTC_TIMESTAMP(),UTC_TIMESTAMP(),'{\"interface_mappings\":{\"physnet1\":\"x\"},\"bridge_mappings\":{},\"devices\":0,\"tunnel_types\":[],\"extensions\":[]}',0)
    ON DUPLICATE KEY UPDATE heartbeat_timestamp=UTC_TIMESTAMP()"
else
  # a DHCP agent that is there before the linuxbridge agent has reported can't bind its port
  $PYTHON $HERE/provision.py wait-lbagent
  start dhcpagent /usr/bin/neutron-dhcp-agent $NEUTRON --config-file $ETC/dhcp.ini --log-file $LOG/dhcpagent.log
fi
$PYTHON $HERE/provision.py wait-compute
touch "$LAB_DIR/READY"
say "compute and agents are up"
