#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The script that keepalived calls where a host becomes the master, and what takes the checkpoints.

load helper
load checkpoint

answers_go_on() { until_true 10 "redis answers" on client redis-cli -h $address -t 2 ping; }

notify() { on "$1" env IP_TAKEOVER=$program /src/scripts/keepalived-notify "${@:2}" 3>&-; }

@test "the new master revives the service, and once" {
	log_on beta
	start_redis
	redis SET kept yes
	checkpoint --to beta
	alpha_dies
	notify beta INSTANCE VI_1 MASTER 100
	cat "$shared/syslog"
	logged $notice 'revived redis-server .* of alpha'
	[ "$(redis GET kept)" = yes ]
	notify beta INSTANCE VI_1 MASTER 100
	cat "$shared/syslog"
	logged $info 'runs here already'
	[ "$(redis GET kept)" = yes ]
}

@test "two at once revive it once" {
	local first
	log_on beta
	start_redis
	redis SET kept yes
	checkpoint --to beta
	alpha_dies
	notify beta INSTANCE VI_1 MASTER 100 &
	first=$!
	notify beta GROUP G1 MASTER 100
	wait $first
	cat "$shared/syslog"
	logged $notice 'revived redis-server'
	logged $info 'runs here already'
	[ "$(grep -c "ip-takeover: revived" "$shared/syslog")" = 1 ]
	[ "$(redis GET kept)" = yes ]
}

@test "any other state, and no checkpoint at all" {
	local state
	log_on beta
	notify beta INSTANCE VI_1 MASTER 100
	logged $notice 'there is no checkpoint'
	start_redis
	checkpoint --to beta
	alpha_dies
	for state in BACKUP FAULT STOP; do notify beta INSTANCE VI_1 $state 100; done
	notify beta INSTANCE VI_1 SILLY 100
	cat "$shared/syslog"
	logged $info 'INSTANCE VI_1 is FAULT: nothing to do'
	no_process beta
	exits 2 usage notify beta INSTANCE
}

@test "nothing where the service is, or is elsewhere" {
	log_on beta
	start_redis
	checkpoint --to beta
	notify beta INSTANCE VI_1 MASTER 100
	logged $info 'is not on eth0'
	on beta ip address add $address/24 dev eth0
	not notify beta INSTANCE VI_1 MASTER 100
	cat "$shared/syslog"
	logged $err "is in use by $(mac_of alpha)"
	on beta ip address delete $address/24 dev eth0
	no_process beta
	stayed
}

# The address comes before the service: keepalived would call the script then.
@test "nothing while a planned move brings it" {
	start_redis
	checkpoint --to beta
	log_on beta
	cat >"$shared/notify" <<-'END'
	#!/bin/sh
	[ "$CRTOOLS_SCRIPT_ACTION" = post-restore ] || exit 0
	IP_TAKEOVER=/src/build/ip-takeover /src/scripts/keepalived-notify INSTANCE VI_1 MASTER 100
	END
	chmod +x "$shared/notify"
	answers_go_on
	dump plugin
	restore beta none --action-script /shared/notify --action-script /src/build/criu-action
	cat "$shared/syslog"
	logged $info 'takeover .* of its address is claimed on this host'
	moved
}

@test "what is installed: the unit, the line for cron, the script" {
	local host unit line
	make -s -C "$top" install DESTDIR="$shared/installed" PREFIX=/usr/local
	for host in alpha beta; do
		on "$host" cp -r /shared/installed/usr/local/. /usr/local/
	done
	on alpha ln -s /usr/local/sbin/ip-takeover /usr/bin/ip-takeover
	on beta ln -s /usr/local/sbin/ip-takeover /usr/bin/ip-takeover
	start_redis
	redis SET kept yes
	unit=$(on alpha sed -n "s/^ExecStart=//p" "/usr/local/lib/systemd/system/ip-takeover-checkpoint@.service")
	unit=${unit//%i/redis-server}
	on alpha env OPTIONS="--to beta --keep 5" sh -c "${unit//\$\$/\$}"
	[ "$(checkpoints alpha | wc -l)" = 1 ]
	line=$(on alpha sed -n 's/^\* \* \* \* \* root //p' /usr/local/share/doc/criu-ip-takeover/ip-takeover-checkpoint.cron)
	on alpha sh -c "$line"
	[ "$(checkpoints beta | wc -l)" = 2 ]
	log_on beta
	alpha_dies
	on beta /usr/local/libexec/criu-ip-takeover/keepalived-notify INSTANCE VI_1 MASTER 100
	cat "$shared/syslog"
	[ "$(redis GET kept)" = yes ]
	# Where the service does not run there is nothing to take.
	not on alpha sh -c "pkill -x redis-server; $line"
}
