#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A real keepalived, with our notify script: it revives where a host has died, and keeps quiet
# where a move goes as planned.

load helper
load checkpoint
load migrate
load keepalived

eval "$(declare -f show_keepalived | sed '1s/.*/show_both()/')"
show_keepalived() {
	show_both
	cat "$shared/syslog"
}

instances() {
	printf 'global_defs {\n    script_user root\n}\n'
	instance VI_1 51 $address/24 $address6/64 -- 'notify /shared/notify'
}

with_notify() {
	cat >"$shared/notify" <<-'END'
	#!/bin/sh
	export IP_TAKEOVER=/src/build/ip-takeover
	/src/scripts/keepalived-notify "$@"
	echo "$3 done" >>"/shared/notified-$(hostname)"
	END
	chmod +x "$shared/notify"
	log_on alpha
	log_on beta
	keepalived_on_both
}

twice_master() { [ "$(grep -c 'MASTER done' "$shared/notified-$1")" = 2 ]; }
notified() { grep -q "$2" "$shared/notified-$1"; }

@test "alpha dies: beta is the master, and revives the service" {
	with_notify
	until_true 10 "alpha is the master" notified alpha 'MASTER done'
	start_redis
	redis SET kept yes
	start_load 20 --interval-ms 10-30
	checkpoint --to beta
	end_load
	load=
	# keepalived has the address still, and nobody has touched its file.
	holds_address alpha
	track_file_is alpha 0
	local down_ms
	down_ms=$(date +%s%3N)
	on alpha ip link set eth0 down
	until_true 20 "redis answers" on client redis-cli -h $address -t 1 ping
	echo "answers on beta $(($(date +%s%3N) - down_ms)) ms after alpha was cut off"
	until_true 20 "beta has revived it" notified beta 'MASTER done'
	cat "$shared/syslog"
	logged $notice 'revived redis-server .* of alpha'
	answers_go_on
	[ "$(redis GET kept)" = yes ]
	holds_both beta
	track_file_is beta 0
	nothing_left beta
	# And it is a service as any other.
	on beta $program checkpoint --pid "$pid"
}

@test "a move as planned: nothing is revived" {
	with_notify
	until_true 10 "alpha is the master" notified alpha 'MASTER done'
	start_redis
	redis SET kept no
	checkpoint --to beta
	redis SET kept yes
	start_load 50 --interval-ms 10-30
	migrate alpha beta
	until_true 10 "beta has heard of it" notified beta 'MASTER done'
	checkpoint_beta() { on beta $program checkpoint --pid "$pid" --to alpha --remote-program $program; }
	checkpoint_beta
	migrate beta alpha
	until_true 10 "alpha has heard of it" twice_master alpha
	cat "$shared/syslog"
	[ "$(redis GET kept)" = yes ]
	not in_log $notice revived
	logged $info 'INSTANCE VI_1 is MASTER'
	ends_at alpha via alpha beta alpha
	no_fault
}
