# SPDX-License-Identifier: GPL-2.0-only
# Services other than redis: their start, their peers, and that both agree on every byte.
# shellcheck disable=SC2154,SC2034 # variables of, and for, helper.bash

service=python3
v6=2001:db8::100
watched='tcp or udp'
peers=()

# start HOST NAME PROGRAM...: one of tests/services, free of our descriptors; sets $pid.
start() {
	local host=$1 name=$2 program=$3
	shift 3
	# shellcheck disable=SC2016 # that shell expands
	on "$host" sh -c 'name=$1; shift
		setsid "$@" </dev/null >/dev/null 2>"/shared/$name.err" & echo $! >"/run/$name.pid"' \
		sh "$name" python3 "/src/tests/services/$program" "$@"
	pid=$(on "$host" cat "/run/$name.pid")
}

listens() { on "$1" ss -Hln "sport = $2" | grep -q .; }

# start_service PORT ARGUMENT...: on alpha, by stream.py; the last ones are endpoints.
start_service() {
	local port=$1
	shift
	start alpha service stream.py listen /shared/service.jsonl "$@"
	until_true 10 "it listens" listens alpha "$port"
}

# start_peers ARGUMENT...: on the client, by stream.py.
start_peers() {
	on client python3 /src/tests/services/stream.py connect /shared/peers.jsonl "$@" \
		>>"$shared/peers.err" 2>&1 3>&- &
	peers+=($!)
}

# in_state HOST STATE N [MORE...]: so many connections, at least, that ss finds by MORE.
in_state() {
	local host=$1 state=$2 n=$3
	shift 3
	[ "$(on "$host" ss -Htn state "$state" "$@" | wc -l)" -ge "$n" ]
}

# streams HOST N: N sockets have received a kilobyte at least since they are on HOST.
streams() { [ "$(on "$1" ss -Htin | grep -c 'bytes_received:[0-9]\{4,\}')" -ge "$2" ]; }
in_small_segments() { on beta ss -Htin "sport = 7000" | grep -q ' mss:[0-9]\{3\} \| mss:1[0-3]'; }
stream_on() { until_true 10 "$2 connections carry data on $1" streams "$1" "$2"; }

lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }

# sum FILE JQ
sum() { jq -s "[.[] | $2] | add" "$shared/$1.jsonl"; }

# end_peers N: N connections end well, at both ends, with all bytes that the other sent.
end_peers() {
	local p
	: >"$shared/stop"
	for p in "${peers[@]}"; do
		wait "$p" || { cat "$shared"/*.jsonl "$shared/peers.err"; return 1; }
	done
	until_true 10 "the service has done with $1 connections" lines "$shared/service.jsonl" "$1"
	all_arrived "$1" || { cat "$shared"/*.jsonl; return 1; }
}
all_arrived() {
	[ "$(wc -l <"$shared/service.jsonl")" = "$1" ] &&
		[ "$(wc -l <"$shared/peers.jsonl")" = "$1" ] &&
		[ "$(sum service '.wrong + .reset + .late + .options')" = 0 ] &&
		[ "$(sum peers '.wrong + .reset + .late + .options')" = 0 ] &&
		[ "$(sum service .sent)" = "$(sum peers .received)" ] &&
		[ "$(sum peers .sent)" = "$(sum service .received)" ]
}

# also_moved ADDRESS...: these, too, are beta's, and answer.
also_moved() {
	local address
	for address; do
		holds_address beta
		not holds_address alpha
		[ "$(who_has)" = "$(mac_of beta)" ]
		answers_at "$address,7000"
	done
}

# configure_also ADDRESS...: alpha has them, and both hosts may.
configure_also() {
	local host a
	for a; do
		on alpha ip address add "$a" dev eth0
		for host in alpha beta; do
			on $host sed -i "2i { address = \"$a\"; device = \"eth0\"; }," /etc/criu/ip-takeover.conf
		done
	done
}

# A connection of its own, there and back.
answers_go_on() { answers_at "$address,7000"; }
answers_at() {
	on client timeout 10 python3 /src/tests/services/stream.py connect /dev/null \
		--each '{"bytes": 5000}' --other '{"bytes": 5000}' "$1"
}

take_over() {
	dump plugin
	restore beta plugin
}

# exchange COUNT SERVICE-OPTIONS PEERS-OPTIONS: so many connections to each of the peers'
# endpoints carry data while the service moves.
exchange() {
	local n count=$1 listening=$2 connecting=$3
	n=$((count * $(wc -w <<<"${connecting##* -- }")))
	# shellcheck disable=SC2086
	start_service 7000 $listening
	# shellcheck disable=SC2086
	start_peers --count "$count" $connecting
	stream_on alpha "$n"
	take_over
	stream_on beta "$n"
	until_true 5 "segments are as large as they were" not in_small_segments
	end_peers "$n"
	moved
}
