#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Services of UDP: none of 2000 datagrams a second is lost, or there twice.

load helper
load services

start_asking() {
	on client python3 /src/tests/services/datagrams.py ask "$address" 7000 2000 /shared/datagrams.json \
		>"$shared/datagrams.err" 2>&1 3>&- &
	asking=$!
	until_true 5 "they arrive" arrived alpha 500
}

# arrived HOST N: so many datagrams, in the family of $address.
arrived() {
	[ "$(on "$1" awk -v v6="${address//[^:]/}" '
		v6 && $1 == "Udp6InDatagrams" || !v6 && /^Udp: [0-9]/ { print $2 }' \
		/proc/net/snmp /proc/net/snmp6)" -gt "$2" ]
}

end_asking() {
	until_true 5 "they arrive on beta" arrived beta 500
	: >"$shared/stop"
	wait "$asking"
	cat "$shared/datagrams.json"
	jq -e '.errors == 0 and .service.highest == .sent and .back.highest == .sent' "$shared/datagrams.json"
	[ "$(jq '[.service, .back | .lost, .again, .disordered] | add' "$shared/datagrams.json")" = 0 ]
}

# datagrams [OPTION...]: a service without any TCP.
datagrams() {
	start alpha service datagrams.py serve "$address" 7000 "$@"
	until_true 10 "it is bound" listens alpha 7000
	start_asking
	take_over
	end_asking
	answers_go_on() { on client ping -c 1 -W 2 "$address"; }
	moved
	[ "$(field "$shared/images/ip-takeover-dump.json" relayed)" -ge 1 ]
}

# Beside connections, in one process.
beside_connections() {
	start_service 7000 --datagrams "$address,7000" "$address,7000"
	start_peers --count 10 "$address,7000"
	stream_on alpha 10
	start_asking
	take_over
	stream_on beta 10
	end_asking
	end_peers 10
	moved
	[ "$(field "$shared/images/ip-takeover-dump.json" relayed)" -ge 1 ]
}

@test "datagrams only" { datagrams; }
@test "datagrams only, IPv6" { address=$v6 datagrams; }
@test "datagrams of a connected socket" { datagrams --connected; }
@test "datagrams of a connected socket, IPv6" { address=$v6 datagrams --connected; }
@test "datagrams that are not read at once" { datagrams --late; }
@test "datagrams beside connections" { beside_connections; }
@test "datagrams beside connections, IPv6" { address=$v6 beside_connections; }
