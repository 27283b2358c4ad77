#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The addresses are keepalived's: a takeover goes through its track file, and VRRP.

load helper
load migrate
load faults
load keepalived

@test "redis with 100 writing clients goes and comes back, by migrate" {
	keepalived_on_both
	start_redis
	start_load 100 --interval-ms 10-30
	for _ in 1 2 3; do
		migrate alpha beta
		migrate beta alpha
	done
	ends_at alpha via alpha beta alpha beta alpha beta alpha
	no_fault
}

# dump_and_restore WAY: by criu alone.
dump_and_restore() {
	keepalived_on_both
	start_redis
	start_load 100 --interval-ms 10-30
	on beta /src/build/ip-takeover prepare $address $address6
	dump "$1"
	restore beta "$1"
	moved
	no_fault
}

@test "by criu alone, after ip-takeover prepare, plugin" { dump_and_restore plugin; }
@test "by criu alone, after ip-takeover prepare, scripts" { dump_and_restore scripts; }

@test "nobody stands by: the dump is refused, and nothing has changed" {
	keepalived_on_both
	start_redis
	start_load 20 --interval-ms 10-30
	not dump plugin
	grep -q "ip-takeover prepare $address" "$shared/images/dump.log"
	stayed
	no_fault
}

@test "prepared, and nobody restores: beta is a backup again" {
	keepalived_on_both
	start_redis
	start_load 20 --interval-ms 10-30
	on beta /src/build/ip-takeover prepare --seconds 1 $address
	until_true 10 "it has stood by long enough" no_keeper beta
	says beta 'nobody has restored the service here in time'
	stayed journal beta
	no_fault
}

start_redis_on_both() {
	on alpha redis-server --bind $address $address6 --port 6379 --save '' --protected-mode no \
		--daemonize yes --dir /tmp --pidfile /run/redis.pid --logfile /tmp/redis.log >/dev/null
	until_true 10 "redis writes its pidfile" on alpha test -s /run/redis.pid
	pid=$(on alpha cat /run/redis.pid)
}

@test "IPv6, both families of one service" {
	keepalived_on_both
	start_redis_on_both
	on client /src/build/takeover-load redis $address6 6379 --connections 50 --duration 120 \
		--interval-ms 10-30 --ready /shared/ready6 --json /shared/load6.json \
		>"$shared/load6.out" 2>"$shared/load6.err" 3>&- &
	local load6=$!
	until_true 20 "all clients of IPv6 are connected" test -e "$shared/ready6"
	start_load 50 --interval-ms 10-30
	migrate alpha beta
	migrate beta alpha
	end_load
	wait $load6
	[ "$(field "$shared/load6.json" reset)" = 0 ]
	[ "$(field "$shared/load6.json" wrong)" = 0 ]
	[ "$(field "$shared/load6.json" closed)" = 0 ]
	[ "$(field "$shared/load6.json" unanswered)" = 0 ]
	load=
	holds_both alpha
	not holds_address beta
	ends_at alpha via alpha beta alpha
	no_fault
}

@test "IPv4 by keepalived, IPv6 by ourselves" {
	local host
	instances() { instance VI_1 51 $address/24; }
	keepalived_on_both
	for host in alpha beta; do
		on $host sed -i '/2001:db8/s/keepalived/garp/' /etc/criu/ip-takeover.conf
	done
	on alpha ip address add $address6/64 dev eth0 nodad
	start_redis_on_both
	start_load 50 --interval-ms 10-30
	migrate alpha beta
	holds_both beta
	migrate beta alpha
	holds_both alpha
	not on beta sh -c "ip -o address show to $address6 | grep -q $address6"
	ends_at alpha via alpha beta alpha
	no_fault
}

@test "two instances in a sync group" {
	instances() {
		printf 'vrrp_sync_group G {\n    group {\n        VI_1\n        VI_2\n    }\n}\n'
		instance VI_1 51 $address/24
		instance VI_2 52 192.0.2.101/24
	}
	keepalived_on_both
	start_redis
	start_load 50 --interval-ms 10-30
	migrate alpha beta
	on beta ip -o address show to 192.0.2.101 | grep -q 192.0.2.101
	migrate beta alpha
	ends_at alpha via alpha beta alpha
	no_fault
}

@test "a virtual MAC (use_vmac)" {
	instances() { instance VI_1 51 $address/24 -- use_vmac; }
	keepalived_on_both
	start_redis
	start_load 50 --interval-ms 10-30
	migrate alpha beta
	on beta ip -o address show dev vrrp.51 | grep -q "$address/"
	migrate beta alpha
	on alpha ip -o address show dev vrrp.51 | grep -q "$address/"
	not holds_address beta
	until_true 15 "the keepers of alpha end" no_keeper alpha
	until_true 15 "the keepers of beta end" no_keeper beta
	end_load
	no_fault
	# It never changes for those who ask.
	on client ip neigh show $address | grep -qi 00:00:5e:00:01:33
	on client pkill -INT -x tcpdump
	until_true 5 "tcpdump ends" on client sh -c '! pgrep -x tcpdump'
	[ -z "$(on client tcpdump -nnettr /shared/capture "$forbidden" 2>/dev/null)" ]
	# None of ours says anything else: gratuitous, from another MAC.
	[ -z "$(on client tcpdump -nner /shared/capture "arp[14:4] = 0xc0000264 and arp[24:4] = 0xc0000264 and not ether src 00:00:5e:00:01:33" 2>/dev/null)" ]
}

@test "beta has no keepalived: preflight says so" {
	keepalived_on_both
	start_redis
	start_load 20 --interval-ms 10-30
	stop_keepalived beta
	exits 1 "keepalived does not run here" migrate alpha beta
	stayed
	track_file_is alpha 0
}

@test "the instance of beta is in FAULT for another reason: preflight says so" {
	local host
	instances() { instance VI_1 51 $address/24 $address6/64 -- 'track_interface {' '    other' '}'; }
	for host in alpha beta; do
		on $host ip link add other type veth peer name other-end
		on $host ip link set other up
		on $host ip link set other-end up
	done
	keepalived_on_both
	start_redis
	start_load 20 --interval-ms 10-30
	on beta ip link set other down
	until_true 5 "it is in FAULT" on beta sh -c 'kill -USR1 $(cat /run/keepalived.pid); grep -q "State = FAULT" /tmp/keepalived.data'
	exits 1 "is in FAULT" migrate alpha beta
	stayed
	no_fault
}

@test "an instance that preempts: preflight says so" {
	keepalived_on_both
	start_redis
	start_load 20 --interval-ms 10-30
	on beta sed -i '/nopreempt/d' /etc/keepalived/keepalived.conf
	stop_keepalived beta
	start_keepalived beta
	exits 1 "preempts" migrate alpha beta
	stayed
	no_fault
}

@test "keepalived of beta is reloaded before beta is ready" { meanwhile destination restoring none reload beta; all_or_nothing; no_fault; }
@test "keepalived of alpha is stopped at the commit" { meanwhile source commit alpha stop_keepalived alpha; all_or_nothing; no_fault; }
@test "keepalived of beta is stopped when beta is ready" { meanwhile destination ready beta stop_keepalived beta; all_or_nothing; no_fault; }

# Its addresses prove nothing then: alpha may be a backup once beta's keepalived is master again.
@test "keepalived of beta is killed when the service runs there, and started again at once" {
	alpha_first
	meanwhile destination running none restarted beta
	all_or_nothing
	[ "$owner" = beta ]
	no_fault
	alpha_never_had_it_again
}

# Others: keepalived_long.bats, keepalived_killed_long.bats.
@test "killed: the source's keeper before the commit" { killed source commit source-keeper; }

@test "by criu alone: the restore fails on beta, then alpha has it back" {
	busy
	on beta /src/build/ip-takeover prepare $address $address6
	dump plugin
	printf '#!/bin/sh\n[ "$CRTOOLS_SCRIPT_ACTION" != post-restore ]\n' >"$shared/fails"
	chmod +x "$shared/fails"
	not restore beta plugin --action-script /shared/fails
	says beta 'rolled back'
	not holds_address beta
	restore alpha plugin
	stayed journal beta
	no_fault
}

# VRRP's packets from one of them are lost.
deaf() { on "$1" sh -c 'nft add table ip deaf; nft add chain ip deaf in "{ type filter hook input priority 0; }"; nft add rule ip deaf in ip protocol vrrp drop'; }
hears() { on "$1" nft delete table ip deaf; }

@test "the adverts of alpha are lost when it withdraws: beta waits for its own timer" {
	busy
	stopped_at source dump
	deaf beta
	go_on_from migrate
	go_on
	over 30
	wait "$mover"
	cat "$shared/migrate.err"
	hears beta
	moved
	no_fault
}

@test "nothing passes between the hosts from the commit on, for a while" {
	busy
	stopped_at source commit
	cut
	go_on_from migrate
	go_on
	over 90
	cat "$shared/migrate.err"
	heal
	all_or_nothing
	no_fault
}

@test "what check says, and withdraw and claim by hand" {
	keepalived_on_both
	on alpha /src/build/ip-takeover check | grep "keepalived $address.*VI_1, MASTER, track file /run/ip-takeover.d/VI_1"
	on beta /src/build/ip-takeover check | grep "keepalived $address.*VI_1, BACKUP"
	on alpha /src/build/ip-takeover withdraw $address
	not holds_address alpha
	until_true 5 "beta has it" holds_address beta
	on beta /src/build/ip-takeover withdraw $address
	on alpha /src/build/ip-takeover claim $address
	holds_address alpha
	not on beta /src/build/ip-takeover claim $address
	track_file_is beta 0
	not holds_address beta
}

@test "a plain setup: check says what is slow, and which lines are missing" {
	keepalived_on_both 100 99
	exits 0 "VI_1, MASTER: with priority 100 it takes the address only 609 ms after" on alpha /src/build/ip-takeover check
	exits 0 "give it priority 254, and 253" on alpha /src/build/ip-takeover check
	on alpha sed -i '/track_file/,/}/d' /etc/keepalived/keepalived.conf
	stop_keepalived alpha
	start_keepalived alpha
	exits 1 "VI_1 tracks no file" on alpha /src/build/ip-takeover check
	# What it prints, but for the instance, which is there already.
	sed -n 's/^ *\(->\)\? *//; /^track_file ip-takeover/,/^}/p' "$shared/said" >"$shared/lines"
	grep -q "file /run/ip-takeover.d/VI_1" "$shared/lines"
	on alpha sh -c 'sed -i "/vrrp_instance/a track_file {\nip-takeover\n}" /etc/keepalived/keepalived.conf
		cat /shared/lines /etc/keepalived/keepalived.conf >/tmp/new; cp /tmp/new /etc/keepalived/keepalived.conf'
	stop_keepalived alpha
	start_keepalived alpha
	until_true 10 "check is content" on alpha sh -c '/src/build/ip-takeover check | grep "track file /run/ip-takeover.d/VI_1\|with priority 100"'
}

@test "by the configuration that is shipped" {
	local host
	configure() {
		sed "s/priority 254/priority $2/; s|/usr/local/libexec/criu-ip-takeover|/src/scripts|" "$top/scripts/keepalived.conf" |
			on "$1" tee /etc/keepalived/keepalived.conf >/dev/null
		on "$1" mkdir -p /run/ip-takeover.d
		echo "addresses = ({ address = \"$address/24\"; device = \"eth0\"; backend = \"keepalived\"; });" |
			on "$1" tee /etc/criu/ip-takeover.conf >/dev/null
	}
	keepalived_on_both
	for host in alpha beta; do
		exits 0 "^ok *keepalived $address *VI_1, .*track file /run/ip-takeover.d/VI_1" on $host /src/build/ip-takeover check
	done
	start_redis
	start_load 20 --interval-ms 10-30
	migrate alpha beta
	moved
	no_fault
}

@test "what prepare refuses" {
	exits 1 "its backend is not keepalived" on beta /src/build/ip-takeover prepare $address
	keepalived_on_both
	exits 1 "not in this host's configuration" on beta /src/build/ip-takeover prepare 192.0.2.101
	exits 2 "usage" on beta /src/build/ip-takeover prepare
	exits 2 "usage" on beta /src/build/ip-takeover prepare --seconds 0 $address
	start_redis
	exits 1 "port 6379 is in use there" on alpha /src/build/ip-takeover prepare $address
	exits 1 "not an address" on beta /src/build/ip-takeover prepare 192.0.2
	stop_keepalived beta
	exits 1 "keepalived does not run here" on beta /src/build/ip-takeover prepare $address
	no_journal beta
	nothing_left beta
}

@test "two instances, and one track file cannot be written: the other's stays as it was" {
	instances() {
		printf 'track_file second {\n    file /run/ip-takeover.d/VI_2\n    weight 0\n    init_file 0\n}\n'
		instance VI_1 51 $address/24
		instance VI_2 52 $address6/64 | sed 's/^        ip-takeover$/        second/'
	}
	keepalived_on_both
	start_redis
	on beta sh -c 'echo 1 >/run/ip-takeover.d/VI_1; echo 1 >/run/held; ln -sf /run/held /run/ip-takeover.d/VI_2'
	exits 1 'cannot write /run/ip-takeover.d/VI_2: ' on beta /src/build/ip-takeover prepare $address $address6
	track_file_is beta 1
	nothing_left beta
	stayed journal beta
}

@test "prepared twice, killed, prepared again; its worker is killed, and it goes on" {
	busy
	on beta /src/build/ip-takeover prepare $address
	on beta /src/build/ip-takeover prepare $address
	on beta pkill -KILL -f '^ip-takeover.keeper.standby'
	until_true 5 "they die" no_keeper beta
	not dump plugin
	on beta /src/build/ip-takeover prepare $address
	on beta pkill -KILL -x ip-takeover-wrk
	dump plugin
	restore beta plugin
	moved
	no_fault
}

@test "prepared, and killed: clean" {
	busy
	on beta /src/build/ip-takeover prepare $address
	on beta pkill -KILL -f '^ip-takeover.keeper.standby'
	until_true 5 "it dies" no_keeper beta
	on beta /src/build/ip-takeover clean
	stayed
	no_fault
}

@test "a third node of lower priority never has it" {
	keepalived_on_both
	third_node
	start_redis
	start_load 50 --interval-ms 10-30
	migrate alpha beta
	migrate beta alpha
	ends_at alpha via alpha beta alpha
	gamma_was_silent
	no_fault
	end_third_node
}
