#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A host dies, and its service goes on elsewhere from its last checkpoint.

load helper
load checkpoint
load nginx
load services

service=redis-server
watched="host $address or arp or icmp or icmp6"
answers_go_on() { until_true 10 "redis answers" on client redis-cli -h $address -t 2 ping; }
connects() { on client python3 -c "import socket; socket.create_connection(('$address', $1), 5)"; }

# revived HOST: it alone has the service now, and nothing of ours is left there.
revived() {
	answers_go_on
	[ "$(who_has)" = "$(mac_of "$1")" ]
	neighbour_is "$1"
	no_journal "$1"
	nothing_left "$1"
	no_partial "$1"
}

@test "a redis, with the data of its checkpoint, and its clients come again" {
	start_redis
	redis SET before yes
	checkpoint
	redis SET kept yes
	# One that holds a connection, and connects anew when that ends.
	on client sh -c "while :; do redis-cli -h $address -t 2 -r -1 -i 0.05 INCR count; done >>/shared/client.out 2>&1" 3>&- &
	local client=$!
	until_true 10 "it counts" test -s "$shared/client.out"
	checkpoint --to beta
	redis SET lost yes
	[ "$(checkpoints beta)" = "$(checkpoints alpha | sort -V | tail -n 1)" ]
	no_partial beta
	alpha_dies
	exits 0 'revived redis-server .* of alpha' revive beta
	revived beta
	[ "$(redis GET before)" = yes ]
	[ "$(redis GET kept)" = yes ]
	[ -z "$(redis GET lost)" ]
	: >"$shared/client.out"
	until_true 10 "its client counts again" grep -q '^[0-9]' "$shared/client.out"
	cat "$shared/client.out"
	kill $client
	# And it is a service as any other.
	on beta $program checkpoint --pid "$pid"
}

@test "100 clients come again after --claim" {
	start_redis
	start_load 100 --interval-ms 10-30
	checkpoint --to beta
	on client pkill -TERM -x takeover-load
	wait "$load" || :
	on alpha ip link set eth0 down
	revive beta --claim
	revived beta
	start_load 100 --interval-ms 10-30
	end_load
	load=
}

@test "a service that has died on its own host" {
	start_redis
	redis SET kept yes
	start_load 20 --interval-ms 10-30
	checkpoint
	on client pkill -TERM -x takeover-load
	wait "$load" || :
	on alpha kill -9 "$pid"
	until_true 5 "it is dead" not on alpha pgrep -x redis-server
	revive alpha
	revived alpha
	[ "$(redis GET kept)" = yes ]
	checkpoint
	load=
}

@test "where criu's configuration loads the plugin for every dump and restore" {
	local host
	for host in alpha beta; do
		on $host sh -c 'echo "libdir /src/build/plugin" >/etc/criu/default.conf'
	done
	start_redis
	redis SET kept yes
	start_load 20 --interval-ms 10-30
	checkpoint --to beta
	end_load
	load=
	nothing_left alpha
	no_journal alpha
	alpha_dies
	revive beta
	revived beta
	[ "$(redis GET kept)" = yes ]
}

@test "over IPv6" {
	service=python3
	answers_go_on() { until_true 10 "it answers" answers_at "$v6,7000"; }
	start_service 7000 $v6,7000
	start_peers --count 5 $v6,7000
	stream_on alpha 5
	checkpoint --to beta
	[ "$(on alpha $program checkpoints --json | jq -r '.[0].addresses[].address')" = $v6/64 ]
	exits 1 "$v6 is in use by $(mac_of alpha)" revive beta --claim
	on client pkill -f stream.py
	on alpha ip link set eth0 down
	revive beta --claim
	on beta ip -o address show to $v6 | grep -q $v6
	answers_go_on
	[ "$(on client ip neigh show $v6 | grep -c "lladdr $(mac_of beta)")" = 1 ]
	nothing_left beta
}

@test "refused: what runs already, or may run elsewhere" {
	start_redis
	exits 1 'no checkpoint has been taken' revive beta
	checkpoint --to beta
	exits 3 'runs here already: redis-server (pid' revive alpha
	exits 3 'is not on eth0' revive beta
	exits 1 "is in use by $(mac_of alpha)" revive beta --claim
	not holds_address beta
	on beta ip address add $address/24 dev eth0
	exits 1 "is in use by $(mac_of alpha)" revive beta
	on beta ip address delete $address/24 dev eth0
	stayed
}

@test "refused: too old, or of a time that has not come" {
	start_redis
	checkpoint --to beta
	until_true 5 "it is older than a second" exits 1 'more than 1 (checkpoint_max_age)' revive beta --max-age 1
	on beta sh -c 'echo "checkpoint_max_age = 1;" >>/etc/criu/ip-takeover.conf'
	exits 1 'more than 1 (checkpoint_max_age)' revive beta --claim
	alpha_dies
	exits 1 'more than 1 (checkpoint_max_age)' revive beta
	on beta sed -i '/checkpoint_max_age/d' /etc/criu/ip-takeover.conf
	on beta sh -c "sed -i 's/\"at_ns\": 1/\"at_ns\": 2/' $store/redis-server/*/checkpoint.json"
	exits 1 'set the clocks' revive beta
	on beta sh -c "sed -i 's/\"at_ns\": 2/\"at_ns\": 1/' $store/redis-server/*/checkpoint.json"
	revive beta
	revived beta
}

@test "refused: a process with its PID, an address that is not in the configuration" {
	start_redis
	checkpoint --to beta
	alpha_dies
	on beta sh -c "echo $((pid - 1)) >/proc/sys/kernel/ns_last_pid; setsid sleep 60 </dev/null >/dev/null 2>&1 &"
	[ "$(on beta cat "/proc/$pid/comm")" = sleep ]
	exits 1 "PID $pid is that of sleep here" revive beta
	on beta pkill -x sleep
	on beta sed -i /192.0.2.100/d /etc/criu/ip-takeover.conf
	exits 1 "192.0.2.100 is not in this host's configuration" revive beta
}

@test "refused while a takeover of the address is under way" {
	start_redis
	checkpoint --to beta
	answers_go_on
	dump plugin
	until_true 5 "alpha has committed" says alpha committed
	exits 3 'of its address is committed on this host' revive alpha --claim
	restore beta plugin
	exits 3 'of its address is released on this host\|runs here already' revive beta
	moved
}

@test "a restore that fails leaves nothing: no process, no address" {
	on alpha touch /tmp/only-on-alpha
	on alpha sh -c 'exec redis-server --bind '$address' --port 6379 --save "" --protected-mode no \
		--daemonize yes --dir /tmp --pidfile /run/redis.pid --logfile /tmp/redis.log \
		9</tmp/only-on-alpha' >/dev/null
	until_true 10 "redis writes its pidfile" on alpha test -s /run/redis.pid
	pid=$(on alpha cat /run/redis.pid)
	checkpoint --to beta
	on alpha ip link set eth0 down
	exits 1 "only-on-alpha" revive beta --claim
	is_clean beta
	on beta touch /tmp/only-on-alpha
	revive beta --claim
	revived beta
}

# The restore's own script of criu's configuration.
@test "criu killed half-way: nothing is left, and the next restore works" {
	start_redis
	checkpoint --to beta
	on alpha ip link set eth0 down
	printf '#!/bin/sh\n[ "$CRTOOLS_SCRIPT_ACTION" != post-restore ] || kill -9 $PPID\n' >"$shared/kill"
	chmod +x "$shared/kill"
	on beta sh -c 'echo "action-script /shared/kill" >/etc/criu/default.conf'
	exits 1 'criu was killed' revive beta --claim
	is_clean beta
	on beta rm /etc/criu/default.conf
	revive beta --claim
	revived beta
}

@test "the other end killed before it keeps what it has" {
	start_redis
	printf '#!/bin/sh\nIP_TAKEOVER_STOP_AT=checkpoint-received exec /src/build/ip-takeover "$@"\n' >"$shared/stops"
	chmod +x "$shared/stops"
	on alpha $program checkpoint --pid "$pid" --to beta --remote-program /shared/stops >"$shared/said" 2>&1 3>&- &
	local sending=$!
	until_true 10 "it has received all" on beta pgrep -r T -f 'ip-takeover receive-checkpoint'
	not no_partial beta
	on beta pkill -9 -f 'ip-takeover receive-checkpoint'
	not wait $sending
	cat "$shared/said"
	grep -q 'has a new checkpoint, which was not sent' "$shared/said"
	until_true 5 "no half checkpoint is left" no_partial beta
	[ -z "$(checkpoints beta)" ]
	checkpoint --to beta
	[ "$(checkpoints beta)" = "$(checkpoints alpha | sort -V | tail -n 1)" ]
}

@test "one that was damaged is passed over" {
	start_redis
	redis SET count 1
	checkpoint --to beta
	redis SET count 2
	checkpoint --to beta
	redis SET count 3
	checkpoint --to beta
	on beta sh -c "cd $store/redis-server && set -- * && truncate -s 100 \$3/pages-1.img && echo '{' >\$2/checkpoint.json"
	alpha_dies
	exits 0 'is passed over: checkpoint.json: files, bytes' revive beta
	[ "$(redis GET count)" = 1 ]
	revived beta
}

# keep N holds there, too; a connection that breaks leaves nothing half.
@test "the way to the other host: kept there, broken off, refused" {
	start_redis
	for _ in 1 2 3; do checkpoint --quiet --to beta --keep 2; done
	[ "$(checkpoints beta)" = "$(checkpoints alpha)" ]
	[ "$(checkpoints beta | wc -l)" = 2 ]
	printf '#!/bin/sh\nhead -c 1000000 | /src/build/ip-takeover "$@"\n' >"$shared/breaks"
	chmod +x "$shared/breaks"
	exits 1 'has a new checkpoint, which was not sent' on alpha $program checkpoint --pid "$pid" --to beta --remote-program /shared/breaks
	until_true 10 "no half checkpoint is left" no_partial beta
	[ "$(checkpoints beta | wc -l)" = 2 ]
	exits 1 'was not sent: .*nowhere' checkpoint --to nowhere
	on beta mount -t tmpfs -o size=1m,mode=700 tmpfs $store/redis-server
	exits 1 'was not sent: .*No space left' checkpoint --to beta
	until_true 10 "no half checkpoint is left" no_partial beta
	on beta chmod 777 $store/redis-server
	exits 1 'others than root may write it' checkpoint --to beta
}

@test "an nginx in the middle of a long answer" {
	service=nginx
	answers_go_on() { until_true 10 "it answers" connects 8080; }
	start_nginx
	start_download --rate $((4 << 20))
	checkpoint --to beta
	on client pkill -x takeover-load
	wait "$load" || :
	alpha_dies
	revive beta
	revived beta
	rm "$shared/downloading"
	start_download
	end_download
}

@test "a python server with TCP and UDP" {
	service=python3
	answers_go_on() { until_true 10 "it answers" answers_at "$address,7000"; }
	start_service 7000 --datagrams $address,7001 $address,7000
	start_peers --count 5 $address,7000
	stream_on alpha 5
	checkpoint --to beta
	on client pkill -f stream.py
	alpha_dies
	revive beta
	revived beta
	on client python3 /src/tests/services/datagrams.py ask $address 7001 100 /shared/datagrams.json 3>&- &
	local asking=$!
	until_true 10 "datagrams come and go" on client sh -c 'ss -Hunp | grep -q 7001'
	: >"$shared/stop"
	wait "$asking"
	cat "$shared/datagrams.json"
}

# What CRIU's --tcp-close makes of each: a socket that is closed, and whose reader sees its end.
@test "connections in every state, on either side" {
	service=python3
	answers_go_on() { until_true 10 "it answers" connects 7000; }
	start alpha service states.py serve $address 192.0.2.3
	on client python3 /src/tests/services/states.py peer 192.0.2.3 $address >"$shared/peer.err" 2>&1 3>&- &
	until_true 20 "it has them all" connects 7000
	on client python3 /src/tests/services/states.py ask $address >"$shared/before"
	cat "$shared/before"
	[ "$(jq -r '[.[][0]] | sort | unique | join(" ")' "$shared/before")" = "CLOSE_WAIT ESTABLISHED FIN_WAIT1 FIN_WAIT2 LISTEN SYN_SENT" ]
	checkpoint --to beta
	on client python3 /src/tests/services/states.py ask $address >"$shared/after"
	cat "$shared/after"
	cmp "$shared/before" "$shared/after"
	alpha_dies
	revive beta
	on client python3 /src/tests/services/states.py ask $address >"$shared/revived"
	cat "$shared/revived"
	[ "$(jq 'map(select(. == ["CLOSE", 0])) | length' "$shared/revived")" = 9 ]
	connects 7002
	on client pkill -f states.py
	revived beta
}
