#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Several process trees that share the service address move together, or not at all.

load helper
load migrate
load nginx
load services
load trees

answers_go_on() { until_true 10 "redis answers" on client redis-cli -h $address -t 2 ping; }

@test "redis with 100 writing clients and nginx with a running download, there and back" {
	start_both
	start_download --rate $((8 << 20))
	download=$load
	start_load 100 --interval-ms 10-30
	exits 0 "^moved redis-server ($redis), nginx ($nginx) alpha -> beta: " migrate_trees alpha beta
	all_on beta
	migrate_trees beta alpha
	all_on alpha
	no_images
	local clients=$load
	load=$download
	end_download
	load=$clients
	ends_at alpha via alpha beta alpha
}

datagrams_arrive() {
	[ "$(on "$1" awk '/^Udp: [0-9]/ { print $2 }' /proc/net/snmp)" -gt "$2" ]
}

@test "three trees: redis, nginx, and connections beside datagrams" {
	start_both
	start_service 7000 --datagrams "$address,7000" "$address,7000"
	trees+=("$pid")
	service='redis-server|nginx|python3'
	start_download --rate $((8 << 20))
	download=$load
	start_load 20 --interval-ms 10-30
	start_peers --count 10 "$address,7000"
	on client python3 /src/tests/services/datagrams.py ask "$address" 7000 500 /shared/datagrams.json \
		>"$shared/datagrams.err" 2>&1 3>&- &
	local asking=$!
	until_true 5 "datagrams arrive" datagrams_arrive alpha 200
	stream_on alpha 10
	migrate_trees alpha beta
	all_on beta
	stream_on beta 10
	until_true 5 "datagrams arrive on beta" datagrams_arrive beta 200
	: >"$shared/stop"
	wait "$asking"
	cat "$shared/datagrams.json"
	jq -e '.errors == 0 and .service.highest == .sent and .back.highest == .sent' "$shared/datagrams.json"
	[ "$(jq '[.service, .back | .lost, .again, .disordered] | add' "$shared/datagrams.json")" = 0 ]
	end_peers 10
	local clients=$load
	load=$download
	end_download
	load=$clients
	no_images
	moved
}

@test "what would be done, and what was, is said of all of them" {
	start_both
	start_load 5
	exits 0 "^would move redis-server ($redis), nginx ($nginx) alpha -> beta: 5 connections" \
		migrate_trees alpha beta --dry-run
	all_on alpha
	migrate_trees alpha beta --json --keep-images /shared/kept >"$shared/said"
	tail -n 1 "$shared/said" | jq -e --argjson redis "$redis" --argjson nginx "$nginx" \
		'.event == "result" and .moved and .pid == $redis and .trees == [$redis, $nginx]'
	[ -s "$shared/kept/2/dump.log" ] && [ -s "$shared/kept/2/pages-1.img" ]
	on alpha /src/build/ip-takeover report | grep -q 'redis-server, nginx: moved'
	all_on beta
	moved
}

@test "trees that cannot move together" {
	local worker
	start_both
	start_load 5
	trees=("$redis" "$nginx" "$redis")
	exits 1 "PID $redis is named twice" migrate_trees alpha beta
	worker=$(on alpha pgrep -P "$nginx")
	trees=("$redis" "$nginx" "$worker")
	exits 1 "PID $worker.* descends from" migrate_trees alpha beta
	mapfile -t trees < <(seq 1001 1017)
	exits 2 "pid: at most 16 of them" migrate_trees alpha beta
	start alpha other stream.py listen /dev/null "$address,7000"
	trees=("$redis" "$nginx")
	exits 1 "$address is in use by python3" migrate_trees alpha beta
	on alpha pkill -x python3
	until_true 5 "it ends" not on alpha pgrep -x python3
	all_on alpha
	stayed
}

# two_with PYTHON...: two processes that do not descend from one another, with what one began.
two_with() {
	on alpha python3 -c "
import os, mmap, socket, time
$1
for name in 'first', 'second':
    if os.fork() == 0:
        os.setsid()
        null = os.open('/dev/null', os.O_RDWR)
        for fd in 0, 1, 2: os.dup2(null, fd)
        print(os.getpid(), file=open('/run/' + name, 'w'))
        time.sleep(300)" </dev/null
	trees=()
	local name
	for name in first second; do
		until_true 5 "it writes its PID" on alpha test -s /run/$name
		trees+=("$(on alpha cat /run/$name)")
	done
}

# share WHAT PYTHON
share() {
	two_with "$2"
	exits 1 "^no  *alpha  *trees  *PID [0-9]* and PID [0-9]* share $1" migrate_trees alpha beta --check
	on alpha sh -c "kill ${trees[*]}; rm /run/first /run/second"
}

@test "trees that share what would be two of it afterwards" {
	service=python3
	share memory 'm = mmap.mmap(-1, 4096)'
	share pipe 'p = os.pipe()'
	share socket "s = socket.create_server(('$address', 7000))
s.set_inheritable(True)"
	two_with "pass"
	exits 1 "^ok  *alpha  *trees  *2, which share nothing" migrate_trees alpha beta --check
}

@test "two trees that are one another's peers" {
	service=python3
	answers_go_on() { on client ping -c 1 -W 2 "$address"; }
	start_service 7000 "$address,7000"
	trees=("$pid")
	start alpha peers stream.py connect /shared/peers.jsonl --bind "$address" --count 5 "$address,7000"
	trees+=("$pid")
	stream_on alpha 10
	answers_go_on
	migrate_trees alpha beta
	all_on beta
	stream_on beta 10
	end_peers 5
	# The other one ends when its peers have.
	until_true 5 "it ends" not on beta kill -0 "$pid"
	no_images
	moved
}

@test "sixteen trees" {
	local i
	service=python3
	trees=()
	for i in {10..25}; do
		start alpha "tree$i" listen.py "$address" "70$i"
		trees+=("$pid")
	done
	for i in {10..25}; do until_true 10 "all listen" listens alpha "70$i"; done
	answers_go_on() {
		local i
		for i in {10..25}; do
			on client python3 -c "import socket; socket.create_connection(('$address', 70$i), 5)"
		done
	}
	on client ping -c 1 -W 2 "$address"
	migrate_trees alpha beta
	all_on beta
	no_images
	moved
}
