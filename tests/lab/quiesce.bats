#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What CRIU cannot dump drains before the freeze; what is not of the service stays.

load helper

# Clients that come and go, RATE a second; sets $churn.
start_churn() {
	on client sh -c "head -c 300000 /dev/zero | tr \"\\0\" x | redis-cli -h $address -x SET big"
	on client python3 /src/tests/services/churn.py $address 6379 "$1" /shared/churn.json \
		>"$shared/churn.err" 2>&1 3>&- &
	churn=$!
	until_true 10 "some have been served" served 20
}

served() { [ "$(on client redis-cli -h $address INFO stats | tr -d '\r' |
	sed -n 's/^total_connections_received://p')" -gt "$1" ]; }

# Everyone was served, and there were at least MINIMUM.
end_churn() {
	on client pkill -TERM -f churn.py
	wait "$churn"
	cat "$shared/churn.json"
	[ "$(jq '.refused + .reset + .wrong + .unserved' "$shared/churn.json")" = 0 ]
	[ "$(jq .served "$shared/churn.json")" -ge "$1" ]
}

# Packets that wait on a host, by nfnetlink_queue's third column.
waiting() { [ "$(on "$1" awk '{ n += $3 } END { print n + 0 }' /proc/net/netfilter/nfnetlink_queue)" -ge "$2" ]; }

@test "500 new connections a second during the whole takeover, all served" {
	start_redis
	start_load 20 --interval-ms 10-30
	start_churn 500
	dump plugin
	until_true 10 "new clients wait" waiting alpha 300
	restore beta plugin
	until_true 10 "beta serves new clients" served 1000
	end_churn 800
	moved
}

# configure HOST SETTING: one more line of its configuration.
configure() { on "$1" sh -c "echo '$2' >>/etc/criu/ip-takeover.conf"; }

# A process on alpha of its own, free of our descriptors: spawn CMD...; sets $spawned.
spawn() {
	on alpha sh -c 'setsid "$@" </dev/null >/tmp/spawned.log 2>&1 & echo $! >/run/spawned.pid' sh "$@"
	spawned=$(on alpha cat /run/spawned.pid)
}

in_accept_queue() { [ "$(on alpha ss -Hltn "src $address:7000" | awk '{print $2}')" = "$1" ]; }
listens() { on "$1" ss -Hltn "src $2" | grep -q .; }

@test "a service without any connection moves" {
	start_redis
	answers_go_on
	dump plugin
	until_true 5 "alpha says that it committed" says alpha committed
	not holds_address alpha
	restore beta plugin
	moved
}

@test "a service without any connection stays with -R" {
	start_redis
	dump plugin -R
	stayed journal alpha
}

# A redis that its own host can reach besides, and a script that ends all its connections
# when the keeper is done with its preparations: start_ended, then dump_ended [OPTION...].
start_ended() {
	cat >"$shared/end" <<-'END'
	#!/bin/sh
	[ "$CRTOOLS_SCRIPT_ACTION" = pre-dump ] || exit 0
	redis-cli -h 127.0.0.1 client kill type normal skipme yes
	until [ -z "$(ss -Htnp state connected | grep redis-server)" ]; do sleep 0.01; done
	: >/shared/ended
	END
	chmod +x "$shared/end"
	on alpha redis-server --bind $address 127.0.0.1 --port 6379 --save '' --protected-mode no \
		--daemonize yes --dir /tmp --pidfile /run/redis.pid --logfile /tmp/redis.log >/dev/null
	until_true 10 "redis writes its pidfile" on alpha test -s /run/redis.pid
	pid=$(on alpha cat /run/redis.pid)
}
dump_ended() { dump plugin --action-script /shared/end --action-script /src/build/criu-action "$@"; }
connected() { on alpha ss -Htn state established "src $address:6379" | grep -q .; }

is_sending() { on alpha ss -Htn "src $address:6379" | awk -v n="$1" '$3 > n { found = 1 } END { exit !found }'; }

# The keeper has counted a connection, and CRIU finds none.
last_connection_ends() {
	start_ended
	on client bash -c "exec 7<>/dev/tcp/$address/6379; cat <&7" 3>&- &
	until_true 5 "one is connected" connected
	dump_ended "$@"
}

@test "the last connection ends between the guard and the freeze: it moves" {
	last_connection_ends
	until_true 5 "alpha says that it committed" says alpha committed
	not holds_address alpha
	restore beta plugin
	moved
}

@test "the last connection ends between the guard and the freeze: with -R it stays" {
	last_connection_ends -R
	stayed journal alpha
}

@test "a long answer is closed between the guard and the freeze: the kernel sends it all" {
	local sent
	configure alpha 'quiesce_ms = 5000;'
	cat >"$shared/slow.py" <<-END
	import os, socket, time
	peer = socket.socket()
	peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
	peer.connect(("$address", 6379))
	peer.sendall(b"GET big\r\n")
	while not os.path.exists("/shared/ended"):
	    time.sleep(0.01)
	n = 0
	while data := peer.recv(2000):
	    n += len(data)
	    time.sleep(0.02)
	print(n)
	END
	start_ended
	on client sh -c "head -c 8000000 /dev/zero | tr \"\\0\" x | redis-cli -h $address -x SET big"
	on client python3 /shared/slow.py >"$shared/slow.out" 2>"$shared/slow.err" 3>&- &
	until_true 5 "the answer is under way" is_sending 40000
	dump_ended
	restore beta plugin
	wait $!
	sent=$(cat "$shared/slow.out")
	echo "$sent bytes"
	[ "$sent" -gt 40000 ]
	moved
}

@test "a connection that is never accepted makes criu refuse, and waits on" {
	spawn python3 /src/tests/services/listen.py $address 7000
	pid=$spawned
	until_true 5 "it listens" listens alpha $address:7000
	on client bash -c "exec 7<>/dev/tcp/$address/7000; exec sleep infinity" 3>&- &
	until_true 5 "one connection waits" in_accept_queue 1
	not dump plugin
	grep -q 'In-flight connection' "$shared/images/dump.log"
	grep -q 'not quiet after 100 ms.*1 connections not accepted' "$shared/images/dump.log"
	[ "$(on alpha ss -Htn "src $address:7000" | wc -l)" = 1 ]
	service=python3
	answers_go_on() { on client bash -c "exec 7<>/dev/tcp/$address/7000"; }
	stayed journal alpha
}

@test "another process on the address makes the dump refuse" {
	start_redis
	start_load 10 --interval-ms 10-30
	spawn python3 /src/tests/services/listen.py $address 7000
	until_true 5 "it listens" listens alpha $address:7000
	not dump plugin
	grep -q "$address is in use by python3 (pid $spawned), too, TCP port 7000" "$shared/images/dump.log"
	no_journal alpha
	configure alpha 'other_processes = "ignore";'
	dump plugin
	restore beta plugin
	moved
}

@test "each service has an address of its own: the other's stays" {
	on alpha ip address add 192.0.2.101/24 dev eth0
	on alpha sed -i '2i { address = "192.0.2.101/24"; device = "eth0"; },' /etc/criu/ip-takeover.conf
	spawn python3 /src/tests/services/listen.py 192.0.2.101 7000
	until_true 5 "it listens" listens alpha 192.0.2.101:7000
	start_redis
	start_load 10 --interval-ms 10-30
	dump plugin
	on alpha ip -o address show to 192.0.2.101 | grep -q 192.0.2.101
	[ "$(jq -c .addresses "$shared/images/ip-takeover.json")" = "[\"$address/24\"]" ]
	restore beta plugin
	moved
	listens alpha 192.0.2.101:7000
}
