#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Whether a service can leave alpha, by its own facts.

load helper
load preflight

@test "another process on the address, unless the configuration ignores it" {
	begin
	spawn alpha python3 /src/tests/services/listen.py $address 7000
	until_true 5 "it listens" listens alpha $address:7000
	facts
	edit .
	not judged_here
	finding no others "$address is in use by python3 \(pid $spawned\), too, TCP port 7000"
	remedy others "other_processes"
	goes
	on alpha sh -c 'echo "other_processes = \"ignore\";" >>/etc/criu/ip-takeover.conf'
	judged_here
	finding warning others "is in use by python3"
	pids=("$pid" "$spawned")
	facts
	edit .
	judged_here
	all_ok
	finding ok service "1 address, 10 connections"
	on alpha kill "$spawned"
	end_load
}

@test "a freeze that is too long, for the limit, for the peers, for the sockets' own timeout" {
	begin
	edit '.memory = 100 * 1073741824'
	not judged_here
	finding no freeze "about 150.* s for 102400 MiB and 10 connections, longer than 60 s"
	remedy freeze "--max-freeze"
	judged_here --max-freeze 300
	all_ok
	not judged_here --max-freeze 150
	edit '.memory = 10 * 1073741824 | .retries2 = 5'
	not judged_here
	finding no freeze "more than half of the peers' patience of 12.6 s \(net.ipv4.tcp_retries2\)"
	edit '.memory = 1073741824 | .connections = 15000'
	judged_here
	finding ok freeze "about 5.* s, the peers' patience is 924.6 s"
	end_load
}

@test "sockets with a timeout of their own, connections that cannot move, no session, no address" {
	begin
	on client python3 /src/tests/services/listen.py 192.0.2.3 7001 3>&- &
	until_true 5 "the client listens" listens client 192.0.2.3:7001
	spawn alpha python3 -c "if True:
		import signal, socket
		s = socket.create_server(('$address', 7000))
		s.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 40)
		c = socket.create_connection(('192.0.2.3', 7001))
		print('connected', flush=True)
		signal.pause()"
	until_true 5 "it is connected" on alpha grep -q connected /tmp/spawned.log
	pids=("$spawned")
	facts
	[ "$(field "$shared/facts.json" user_timeout_ms)" = 40 ]
	edit .
	not judged_here
	finding no connections "1 go through other addresses of this host, one through 192.0.2.1"
	finding no freeze "half of the peers' patience of 0.0 s \(TCP_USER_TIMEOUT of its sockets\)"
	finding no others "is in use by redis-server"
	finding ok session "1 processes"
	on alpha kill "$spawned"
	on alpha sh -c 'sleep 300 </dev/null >/dev/null 2>&1 & echo $! >/run/spawned.pid'
	spawned=$(on alpha cat /run/spawned.pid)
	pids=("$spawned")
	facts
	edit .
	not judged_here
	finding no service "has no socket on any configured address"
	finding no session "PID $spawned belongs to session [0-9]+: criu does not dump it"
	remedy session setsid
	on client pkill -f listen.py
	on alpha kill "$spawned"
	end_load
}
