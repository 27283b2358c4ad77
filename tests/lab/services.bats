#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Services of every kind move; every byte arrives, in both directions.

load helper
load services

# one_port COUNT [SERVICE-OPTION...]
one_port() { exchange "$1" "${*:2} $address,7000" "$address,7000"; }

several_ports() {
	exchange 5 "$address,7000 $address,7001 $address,7002" "$address,7000 $address,7001 $address,7002"
}

# half_closed STATE EACH OTHER: connections that are in STATE on alpha when it is dumped.
half_closed() {
	start_service 7000 "$address,7000"
	start_peers --count 5 --each "$2" --other "$3" "$address,7000"
	until_true 5 "they are half-closed" in_state alpha "$1" 5
	take_over
	[ "$(on beta ss -Htn state "$1" | wc -l)" = 5 ]
	end_peers 5
	moved
}

closed_by_peer() { half_closed close-wait '{"bytes": 100000, "rate": 0}' '{}'; }
closed_by_service() { half_closed fin-wait-2 '{}' '{"bytes": 100000, "rate": 0}'; }

queue_is() { [ "$(on "$1" ss -Htn "sport = 7000" | awk -v least="$2" '$2 > least && $3 > least' | wc -l)" = "$3" ]; }

# Nobody reads until after the move, and there is more to send than all queues hold.
full_queues() {
	local plan='{"bytes": 3000000, "rate": 0, "read": "/shared/stop"}'
	start_service 7000 --buffer 1000000 "$address,7000"
	start_peers --count 3 --buffer 1000000 --each "$plan" --other "$plan" "$address,7000"
	until_true 10 "all queues are full" queue_is alpha 300000 3
	take_over
	queue_is beta 300000 3
	end_peers 3
	[ "$(sum peers .received)" = 9000000 ]
	[ "$(sum service .received)" = 9000000 ]
	moved
}

# idle COUNT EACH OTHER [CMD...]: connections that rest, until CMD succeeds after the move.
idle() {
	local count=$1 each=$2 other=$3
	shift 3
	start_service 7000 "$address,7000"
	start_peers --count "$count" --each "{\"pause\": \"/shared/go\", $each}" \
		--other "{\"pause\": \"/shared/go\", $other}" "$address,7000"
	stream_on alpha "$count"
	take_over
	[ $# = 0 ] || until_true 10 "$*" "$@"
	: >"$shared/go"
	stream_on beta "$count"
	end_peers "$count"
	moved
}

# beta's probe of each of two connections, thrice, by a segment without data.
probed_thrice() {
	[ "$(on client tcpdump -nr /shared/capture "ether src $(mac_of beta) and tcp src port 7000" 2>/dev/null |
		grep -c 'length 0$')" -ge 8 ]
}

keepalive='"options": {"SO_KEEPALIVE": 1, "TCP_KEEPIDLE": 1, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 2}'
user_timeout='{"TCP_USER_TIMEOUT": 2000}'

# without SYSCTL...: the peers' kernel does not offer these.
without() {
	local name
	for name; do on client sysctl -qw "net.ipv4.tcp_$name=0"; done
	one_port 5
}

# The service's connections are its own: it is told where to go.
outgoing() {
	local count=$1 server=$2
	start client server stream.py listen /shared/service.jsonl "$server,7000"
	until_true 10 "the server listens" listens client 7000
	start alpha service stream.py connect /shared/peers.jsonl --bind "$address" --count "$count" "$server,7000"
	stream_on alpha "$count"
	take_over
	stream_on beta "$count"
	end_peers "$count"
	until_true 10 "the process ends" no_process beta
	answers_go_on() { on client ping -c 1 -W 2 "$address"; }
	moved
}

# Connections in both directions, of one process.
both_roles() {
	local server=$1
	start client server stream.py listen /shared/service.jsonl "$server,7001"
	until_true 10 "the server listens" listens client 7001
	start_service 7000 --outgoing /shared/peers.jsonl "$server,7001" --bind "$address" --count 5 "$address,7000"
	start_peers --count 5 "$address,7000"
	stream_on alpha 10
	take_over
	stream_on beta 10
	end_peers 10
	moved
}

# A host without a CPU to spare relays after the peers have sent all anew, and ended.
relayed_late() {
	local pids
	start_service 7000 "$address,7000"
	start_peers --count 20 "$address,7000"
	stream_on alpha 20
	dump plugin
	pids=$(on alpha pgrep -x ip-takeover-wrk)
	on alpha kill -STOP "$pids"
	restore beta plugin
	stream_on beta 20
	end_peers 20
	on alpha kill -CONT "$pids"
	moved
}

@test "threads, a connection each" { one_port 20; }
@test "threads, a connection each, IPv6" { address=$v6 one_port 20; }
@test "four workers that accept from one socket" { one_port 20 --workers 4; }
@test "four workers that accept from a socket each" { one_port 20 --workers 4 --reuseport; }
@test "three ports" { several_ports; }
@test "three ports, IPv6" { address=$v6 several_ports; }
@test "the peer has ended its half" { closed_by_peer; }
@test "the peer has ended its half, IPv6" { address=$v6 closed_by_peer; }
@test "the service has ended its half" { closed_by_service; }
@test "the service has ended its half, IPv6" { address=$v6 closed_by_service; }
@test "queues full in both directions at both ends" { full_queues; }
@test "queues full in both directions at both ends, IPv6" { address=$v6 full_queues; }
@test "keepalive, and nothing else for some intervals" { idle 2 "$keepalive" "$keepalive" probed_thrice; }
@test "keepalive, and nothing else for some intervals, IPv6" {
	address=$v6 idle 2 "$keepalive" "$keepalive" probed_thrice
}
@test "a user timeout at both ends" { idle 5 "\"options\": $user_timeout" "\"unkept\": $user_timeout"; }
@test "peers without timestamps" { without timestamps; }
@test "peers without selective acknowledgements and window scaling" { without sack window_scaling; }
@test "peers without any TCP option but MSS, IPv6" { address=$v6 without timestamps sack window_scaling; }
@test "a peer without window scaling, half-closed: the log says that it will be slow" {
	on client sysctl -qw net.ipv4.tcp_window_scaling=0
	start_service 7000 "$address,7000"
	start_peers --other '{"bytes": 100000, "rate": 0}' "$address,7000"
	until_true 5 "it is half-closed" in_state alpha fin-wait-2 1
	take_over
	grep -q '1 connections will receive slowly' "$shared/images/restore.log"
	moved
}
@test "only one connection of its own" { outgoing 1 192.0.2.3; }
@test "50 connections of its own to one server" { outgoing 50 192.0.2.3; }
@test "10 connections of its own to one server, IPv6" { address=$v6 outgoing 10 2001:db8::3; }
@test "connections of its own beside its peers'" { both_roles 192.0.2.3; }
@test "connections of its own beside its peers', IPv6" { address=$v6 both_roles 2001:db8::3; }
@test "what is relayed late finds its connection closed" { relayed_late; }
@test "what is relayed late finds its connection closed, IPv6" { address=$v6 relayed_late; }
