#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Services on several addresses, or on all: what came through service addresses moves.

load helper
load services

second=192.0.2.101
elsewhere=198.51.100.100

says_port_7000_is_on_all() { grep -q 'port 7000 listens on all addresses' "$shared/images/dump.log"; }

@test "two addresses of one family" {
	configure_also $second/24
	exchange 5 "$address,7000 $second,7000" "$address,7000 $second,7000"
	also_moved $second
}

@test "two addresses of one family and one of the other" {
	configure_also $second/24
	exchange 5 "$address,7000 $second,7000 $v6,7000" "$address,7000 $second,7000 $v6,7000"
	also_moved $second $v6
}

@test "an address of another subnet" {
	configure_also $elsewhere/24
	on client ip route add 198.51.100.0/24 dev eth0
	exchange 5 "$address,7000 $elsewhere,7000" "$address,7000 $elsewhere,7000"
	also_moved $elsewhere
}

@test "on 0.0.0.0" {
	exchange 5 0.0.0.0,7000 "$address,7000"
	says_port_7000_is_on_all
}

@test "on [::], for both families" {
	exchange 5 ::,7000 "$address,7000 $v6,7000"
	says_port_7000_is_on_all
	also_moved $v6
}

@test "on [::], reached by IPv4 alone" {
	exchange 5 ::,7000 "$address,7000"
	says_port_7000_is_on_all
	also_moved $v6
}

@test "on all addresses, without any connection" {
	start_service 7000 ::,7000
	answers_go_on
	take_over
	says_port_7000_is_on_all
	moved
	also_moved $v6
}

# The log names the connection, beta has no such address, and the service is not lost; the
# connection itself may be: it is not ours to guard.
@test "on 0.0.0.0, with a connection through the host's own address" {
	local other
	forbidden="host $address and ($forbidden)"
	start_service 7000 0.0.0.0,7000
	start_peers "$address,7000"
	on client python3 /src/tests/services/stream.py connect /dev/null 192.0.2.1,7000 >/dev/null 2>&1 3>&- &
	other=$!
	stream_on alpha 2
	dump plugin
	grep -q '1 sockets stay behind, one on 192.0.2.1 port 7000' "$shared/images/dump.log"
	not restore beta plugin
	restore alpha plugin
	: >"$shared/stop"
	wait "${peers[@]}"
	wait "$other" || :
	stayed journal beta
}
