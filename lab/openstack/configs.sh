# Writes every config file of the cloud below $ETC; sourced by up.sh. The packages' own files under /etc
# are not used, but for the api-paste.ini files and nova's rootwrap.conf.
mkdir -p $ETC $STATE/{rabbitmq,glance/images,glance/tmp,nova/instances,neutron,lock,keystone/fernet-keys,keystone/credential-keys} $LOG $RUN
DB="mysql+pymysql://root@localhost"; DBQ="unix_socket=$RUN/mysqld.sock"
RABBIT="rabbit://guest:guest@$LAB_HOST:5672/"

cat >$ETC/my.cnf <<C
[mariadbd]
datadir=$STATE/mysql
socket=$RUN/mysqld.sock
pid-file=$RUN/mariadb-own.pid
user=root
skip-networking
skip-grant-tables
skip-log-bin
skip-name-resolve
character-set-server=utf8mb3
collation-server=utf8mb3_general_ci
max_connections=300
performance_schema=OFF
innodb_buffer_pool_size=96M
innodb_log_file_size=64M
# 2: what was committed survives the death of the server (not that of the machine)
innodb_flush_log_at_trx_commit=2
innodb_doublewrite=0
sync_binlog=0
innodb_flush_method=O_DIRECT_NO_FSYNC
key_buffer_size=4M
C

cat >$ETC/rabbitmq.conf <<C
listeners.tcp.1 = $LAB_HOST:5672
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 50MB
log.file.level = warning
log.console = false
C
printf '[].\n' >$ETC/rabbitmq_plugins
cat >$ETC/rabbitmq-env.sh <<C
export HOME=$STATE/rabbitmq RABBITMQ_HOME=/usr/lib/rabbitmq
export RABBITMQ_NODENAME=$RABBIT_NODE RABBITMQ_MNESIA_BASE=$STATE/rabbitmq/mnesia RABBITMQ_LOG_BASE=$LOG/rabbitmq
export RABBITMQ_CONFIG_FILE=$ETC/rabbitmq.conf RABBITMQ_ENABLED_PLUGINS_FILE=$ETC/rabbitmq_plugins
export RABBITMQ_PID_FILE=$RUN/rabbitmq-own.pid RABBITMQ_DIST_PORT=$RABBIT_DIST_PORT
export ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$EPMD_PORT RABBITMQ_CONF_ENV_FILE=/dev/null
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none +S 1:1 -kernel inet_dist_use_interface {127,0,0,1}"
C

authtoken() { cat <<C
[keystone_authtoken]
www_authenticate_uri = http://$LAB_HOST:5000/v3
auth_url = http://$LAB_HOST:5000/v3
auth_type = password
username = svc
password = $SVC_PASS
project_name = service
user_domain_id = default
project_domain_id = default
region_name = RegionOne
service_token_roles = service
service_token_roles_required = false
C
}
svcauth() { cat <<C
[$1]
auth_url = http://$LAB_HOST:5000/v3
auth_type = password
username = svc
password = $SVC_PASS
project_name = service
user_domain_id = default
project_domain_id = default
region_name = RegionOne
C
}
rabbitopts() { cat <<C
[oslo_messaging_rabbit]
heartbeat_in_pthread = false
kombu_reconnect_delay = 0.5
rabbit_transient_queues_ttl = 600
[oslo_messaging_notifications]
driver = noop
C
}

cat >$ETC/keystone.conf <<C
[DEFAULT]
log_file = $LOG/keystone.log
[database]
connection = $DB/keystone?$DBQ
[token]
provider = fernet
expiration = 14400
[identity]
password_hash_rounds = 4
[fernet_tokens]
key_repository = $STATE/keystone/fernet-keys
[credential]
key_repository = $STATE/keystone/credential-keys
[oslo_messaging_notifications]
driver = noop
[oslo_policy]
policy_file = $ETC/none.yaml
C
uwsgi_ini() { # name port wsgi-file [extra]
cat >$ETC/$1-uwsgi.ini <<C
[uwsgi]
plugins = python3
http-socket = $LAB_HOST:$2
wsgi-file = $3
master = false
processes = 1
threads = 8
enable-threads = true
lazy-apps = true
buffer-size = 65535
rem-header = Content-Length
die-on-term = true
need-app = true
disable-logging = true
http-auto-chunked = true
http-chunked-input = true
add-header = Connection: close
$4
C
}
uwsgi_ini keystone 5000 /usr/bin/keystone-wsgi-public "env = OS_KEYSTONE_CONFIG_FILES=$ETC/keystone.conf"
mkdir -p $ETC/placement
uwsgi_ini placement 8778 /usr/bin/placement-api "env = OS_PLACEMENT_CONFIG_DIR=$ETC/placement"

{ cat <<C
[DEFAULT]
log_file = $LOG/placement.log
[placement_database]
connection = $DB/placement?$DBQ
sync_on_startup = true
[api]
auth_strategy = keystone
C
authtoken; } >$ETC/placement/placement.conf

{ cat <<C
[DEFAULT]
log_file = $LOG/glance.log
bind_host = $LAB_HOST
bind_port = 9292
workers = 2
enabled_backends = file:file
node_staging_uri = file://$STATE/glance/tmp
[glance_store]
default_backend = file
[file]
filesystem_store_datadir = $STATE/glance/images
[os_glance_staging_store]
filesystem_store_datadir = $STATE/glance/tmp
[os_glance_tasks_store]
filesystem_store_datadir = $STATE/glance/tmp
[database]
connection = $DB/glance?$DBQ
[paste_deploy]
flavor = keystone
config_file = /etc/glance/glance-api-paste.ini
[oslo_policy]
policy_file = $ETC/none.yaml
[oslo_messaging_notifications]
driver = noop
[oslo_concurrency]
lock_path = $STATE/lock
C
authtoken; } >$ETC/glance-api.conf

{ cat <<C
[DEFAULT]
host = lab
my_ip = $LAB_HOST
transport_url = $RABBIT
state_path = $STATE/nova
instances_path = $STATE/nova/instances
enabled_apis = osapi_compute
osapi_compute_listen = $LAB_HOST
osapi_compute_workers = 1
rootwrap_config = /etc/nova/rootwrap.conf
compute_driver = $([ $LAB_VIRT = fake ] && echo labfake.Driver || echo libvirt.LibvirtDriver)
force_raw_images = ${LAB_FORCE_RAW:-false}
cpu_allocation_ratio = 16.0
ram_allocation_ratio = 2.0
disk_allocation_ratio = 8.0
reserved_host_memory_mb = 512
vif_plugging_timeout = $([ $LAB_VIRT = fake ] && echo 0 || echo 120)
vif_plugging_is_fatal = $([ $LAB_VIRT = fake ] && echo false || echo true)
sync_power_state_interval = 60
shutdown_timeout = ${LAB_SHUTDOWN_TIMEOUT:-20}
report_interval = 5
periodic_fuzzy_delay = 0
service_down_time = 60
[api]
auth_strategy = keystone
[wsgi]
api_paste_config = /etc/nova/api-paste.ini
[oslo_policy]
policy_file = $ETC/none.yaml
[api_database]
connection = $DB/nova_api?$DBQ
[database]
connection = $DB/nova?$DBQ
[conductor]
workers = 1
[scheduler]
workers = 1
discover_hosts_in_cells_interval = 5
[glance]
api_servers = http://$LAB_HOST:9292
num_retries = 3
[vnc]
enabled = false
[libvirt]
virt_type = qemu
cpu_mode = ${LAB_CPU_MODE:-custom}
$([ "${LAB_CPU_MODE:-custom}" = custom ] && echo "cpu_models = ${LAB_CPU_MODEL:-qemu64}")
connection_uri = qemu:///system
disk_cachemodes = file=unsafe
hw_disk_discard = unmap
inject_partition = -2
snapshots_directory = $STATE/nova/snapshots
use_virtio_for_bridges = true
hw_machine_type = x86_64=${LAB_MACHINE:-pc}
rng_dev_path = /dev/urandom
[image_cache]
manager_interval = 120
remove_unused_original_minimum_age_seconds = 60
[os_vif_linux_bridge]
use_ipv6 = false
[oslo_concurrency]
lock_path = $STATE/lock
C
authtoken; svcauth neutron; svcauth placement; rabbitopts; } >$ETC/nova.conf
mkdir -p $STATE/nova/snapshots
# nova-compute must not see the databases
awk '/^\[/{skip=($0=="[api_database]"||$0=="[database]")} !skip' $ETC/nova.conf >$ETC/nova-compute.conf

{ cat <<C
[DEFAULT]
host = lab
transport_url = $RABBIT
state_path = $STATE/neutron
bind_host = $LAB_HOST
bind_port = 9696
core_plugin = ml2
service_plugins =
auth_strategy = keystone
api_workers = 0
rpc_workers = 1
rpc_state_report_workers = 0
api_paste_config = /etc/neutron/api-paste.ini
notify_nova_on_port_status_changes = true
notify_nova_on_port_data_changes = true
send_events_interval = 1
# where no agent runs: 23 days. Neutron sleeps as long between two looks, and its event loop knows no sleep of more
# than 2^31 ms: a worker that tries dies, and its successor is forked in the middle of API calls, of which some then
# hang for ever
agent_down_time = $([ $LAB_VIRT = fake ] && echo 2000000 || echo 120)
dhcp_agents_per_network = 1
allow_overlapping_ips = true
global_physnet_mtu = 1500
[experimental]
linuxbridge = true
[quotas]
quota_security_group = -1
quota_security_group_rule = -1
quota_port = -1
[agent]
root_helper =
report_interval = 30
[database]
connection = $DB/neutron?$DBQ
[oslo_concurrency]
lock_path = $STATE/lock
[oslo_policy]
policy_file = $ETC/none.yaml
C
authtoken; svcauth nova; svcauth placement; rabbitopts; } >$ETC/neutron.conf
cat >$ETC/ml2.ini <<C
[ml2]
type_drivers = flat
tenant_network_types =
mechanism_drivers = linuxbridge
extension_drivers = port_security
[ml2_type_flat]
flat_networks = physnet1
[securitygroup]
enable_security_group = true
enable_ipset = true
C
cat >$ETC/linuxbridge.ini <<C
[linux_bridge]
physical_interface_mappings = physnet1:lab-p
[vxlan]
enable_vxlan = false
[securitygroup]
enable_security_group = true
firewall_driver = ${LAB_FIREWALL:-iptables}
enable_ipset = true
[agent]
polling_interval = 1
C
cat >$ETC/dhcp.ini <<C
[DEFAULT]
interface_driver = linuxbridge
dhcp_driver = neutron.agent.linux.dhcp.Dnsmasq
enable_isolated_metadata = false
enable_metadata_network = false
resync_interval = 5
C
cat >$ETC/libvirtd.conf <<C
auth_unix_ro = "none"
auth_unix_rw = "none"
log_outputs = "2:file:$LOG/libvirtd.log"
C
cat >$ETC/qemu.conf <<C
security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
cgroup_controllers = [ ]
namespaces = [ ]
seccomp_sandbox = 0
stdio_handler = "file"
C
