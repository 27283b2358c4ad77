# SPDX-License-Identifier: GPL-2.0-only
# For checkpoint*.bats.
# shellcheck disable=SC2154,SC2034 # variables of helper.bash

program=/src/build/ip-takeover
store=/var/lib/ip-takeover/checkpoints

# checkpoint [OPTION...]: of $pid on alpha.
checkpoint() { on alpha $program checkpoint --pid "$pid" --remote-program $program "$@" 3>&-; }

revive() { on "$1" $program revive "${@:2}" 3>&-; }

# The names of those that are complete, on HOST; and whatever else lies there.
checkpoints() { on "$1" ls "$store/$service"; }
no_partial() { not on "$1" sh -c "ls -d $store/*/.partial-* 2>/dev/null | grep ."; }

# The service as another client sees it: its keys.
redis() { on client redis-cli -h "$address" -t 2 "$@"; }

# alpha is gone for everybody; beta has its address, as whoever decides that would give it.
alpha_dies() {
	on alpha ip link set eth0 down
	on beta ip address add "$address/24" dev eth0
	on beta arping -q -c 1 -A -I eth0 "$address"
}

# Every address that comes or goes on alpha from here on, to /shared/addresses.
watch_addresses() {
	on alpha sh -c 'setsid ip monitor address </dev/null >/shared/addresses 2>&1 &
		echo $! >/run/monitor.pid'
}

# No announcement: neither ARP with one address on both sides, nor a neighbour advertisement
# that nobody has asked for. wire_saw has ended the capture.
no_announcement() {
	[ "$(on client tcpdump -nnr /shared/capture 'arp[14:4] = arp[24:4]' 2>/dev/null | grep -c "$address")" = 0 ] &&
		[ ! -s "$shared/addresses" ]
}

# A script of criu's own configuration on alpha, after ours: stops at STAGE until /shared/go.
stop_at() {
	cat >"$shared/stop_at" <<-END
	#!/bin/sh
	[ "\$CRTOOLS_SCRIPT_ACTION" = $1 ] || exit 0
	: >/shared/here
	until [ -e /shared/go ]; do sleep 0.02; done
	END
	chmod +x "$shared/stop_at"
	on alpha sh -c 'echo "action-script /shared/stop_at" >/etc/criu/default.conf'
}

# Start one in the background, and wait until criu has come there; sets $taking.
start_checkpoint() {
	rm -f "$shared/here" "$shared/go"
	"$top/scripts/lab" exec alpha $program checkpoint --pid "$pid" "$@" >"$shared/checkpoint.err" 2>&1 3>&- &
	taking=$!
	until_true 10 "criu comes there" test -e "$shared/here"
}

go_on() {
	: >"$shared/go"
	on alpha rm -f /etc/criu/default.conf
}

# A log as syslog keeps one, of HOST; all of them write to one file.
log_on() {
	on "$1" sh -c 'setsid python3 -c "
import os, socket
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind(\"/dev/log\")
while True:
    os.write(1, log.recv(65536) + b\"\n\")" </dev/null >>/shared/syslog 2>&1 & echo $! >/run/log.pid'
	until_true 10 "it logs" on "$1" test -S /dev/log
}

# The priorities of syslog: daemon is 3 * 8.
# What is logged comes a moment after it was said.
logged() { until_true 5 "the log says $2" in_log "$@"; }
in_log() { grep -q "^<$((3 * 8 + $1))>.*ip-takeover: .*$2" "$shared/syslog"; }
err=3 notice=5 info=6
