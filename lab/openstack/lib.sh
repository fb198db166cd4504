# Settings and process helpers of up.sh and down.sh; sourced, never run.
#
#   LAB_HOST  address that every port of this cloud is bound to      (default 127.0.0.1)
#   LAB_VIRT  libvirt: QEMU guests | fake: Nova's fake driver         (default libvirt)
#   LAB_DIR   everything of this cloud lives there                    (default /var/lib/github-runner-lab/real or /fake)
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LANG=C.UTF-8 LC_ALL=C.UTF-8
unset PYTHONUNBUFFERED PYENV_ROOT PYTHONPATH REQUESTS_CA_BUNDLE http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
export PYTHONDONTWRITEBYTECODE=1
export LAB_VIRT=${LAB_VIRT:-libvirt}
export LAB_HOST=${LAB_HOST:-127.0.0.1}
export LAB_DIR=${LAB_DIR:-/var/lib/github-runner-lab/$([ "$LAB_VIRT" = fake ] && echo fake || echo real)}
export no_proxy=127.0.0.1,127.0.0.2,localhost

ETC=$LAB_DIR/etc STATE=$LAB_DIR/state LOG=$LAB_DIR/log RUN=$LAB_DIR/run
HOST_LEG=10.77.0.1
ADMIN_PASS=adminpass SVC_PASS=svcpass

# Names and ports that two clouds on one machine may not share and that are not bound to LAB_HOST alone.
if [ "$LAB_VIRT" = fake ]; then
  RABBIT_NODE=labfake@localhost RABBIT_DIST_PORT=25673 EPMD_PORT=4370
else
  RABBIT_NODE=lab@localhost RABBIT_DIST_PORT=25672 EPMD_PORT=4369
fi

now() { date +%s.%N; }
export LAB_T0=${LAB_T0:-$(now)}
say() { printf '[%6.1fs] %s\n' "$(awk "BEGIN{print $(now)-$LAB_T0}")" "$*"; }

# One up.sh or down.sh at a time. The lock lives beside the directory, because --wipe removes that.
# Children inherit it (a schema migration that outlives its script keeps it); services do not.
take_lock() {
  mkdir -p "$LAB_DIR"
  exec 9>"$LAB_DIR.lock"
  flock -n 9 || { say "waiting for another up or down of $LAB_DIR"; flock 9; }
}

# start_of PID: the start time of a process that is no zombie. With it a pid file whose number was given
# to another program later is told from one that still holds. (PID 1 of a container may reap late, so
# that kill -0 succeeds on the dead.)
start_of() {
  local stat fields
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  fields=(${stat##*) })
  [ "${fields[0]:-Z}" != Z ] && echo "${fields[19]}"
}

# alive NAME: the process that run/NAME.pid ("PID START") names still runs.
alive() {
  local pid began
  read -r pid began 2>/dev/null <"$RUN/$1.pid" || return 1
  [ -n "$began" ] && [ "$(start_of "$pid")" = "$began" ]
}

# end_session PID: ends what a dead session leader left (workers, privsep helpers). While a session has
# members the kernel does not give its number away; where PID runs, it is therefore somebody else's.
end_session() {
  [ -n "$(start_of "$1")" ] || pkill -KILL -s "$1" || true
}

# start NAME COMMAND...: a background process in a session of its own, its output in log/NAME.out.
# It writes its pid file itself, before it becomes COMMAND: an abort of this script loses no process.
start() {
  local name=$1 file child
  shift
  if alive "$name"; then return; fi
  if [ -s "$RUN/$name.pid" ]; then end_session "$(cut -d' ' -f1 "$RUN/$name.pid")"; fi
  rm -f "$RUN/$name.pid"
  # fresh logs for each start (readiness checks read them), one generation kept
  for file in "$LOG/$name.out" "$LOG/$name.log"; do [ ! -s "$file" ] || mv -f "$file" "$file.1"; done
  setsid nohup bash -c '
    read -r -a stat </proc/$$/stat
    echo "$$ ${stat[21]}" >"$0.new" && mv "$0.new" "$0" && exec "$@"' \
    "$RUN/$name.pid" "$@" >>"$LOG/$name.out" 2>&1 </dev/null 9>&- &
  child=$!
  until [ -s "$RUN/$name.pid" ]; do
    kill -0 $child 2>/dev/null || { say "cannot start $name; see $LOG/$name.out"; return 1; }
    sleep 0.02
  done
  export LAB_STARTED="${LAB_STARTED:-} $name"
  say "started $name"
}

# wait_ready NAME SECONDS COMMAND...: until COMMAND succeeds; fails when NAME dies or the time is over.
wait_ready() {
  local name=$1 limit=$2 end
  shift 2
  end=$((SECONDS + limit))
  until "$@" >/dev/null 2>&1; do
    if ! alive "$name"; then
      say "$name died; see $LOG/$name.out and $LOG/$name.log"
      tail -n 5 "$LOG/$name.out"
      return 1
    fi
    if [ $SECONDS -ge $end ]; then say "$name is not ready after ${limit}s; see $LOG/$name.log"; return 1; fi
    sleep 0.2
  done
  say "$name is ready"
}

# answers PORT: something speaks HTTP there.
answers() { curl -s -o /dev/null --max-time 5 "http://$LAB_HOST:$1/"; }

# stop NAME [TENTHS]: SIGTERM, then SIGKILL for it and whatever is left of its session.
stop() {
  local name=$1 tenths=${2:-100} pid began
  read -r pid began 2>/dev/null <"$RUN/$name.pid" || return 0
  if alive "$name"; then
    kill -TERM "$pid" 2>/dev/null || true
    while [ "$tenths" -gt 0 ] && alive "$name"; do sleep 0.1; tenths=$((tenths - 1)); done
    if alive "$name"; then
      kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
      say "$name did not end in time: killed"
    else
      say "$name stopped"
    fi
    while alive "$name"; do sleep 0.05; done
  fi
  end_session "$pid"
  rm -f "$RUN/$name.pid"
}
