#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# ip-takeover by hand.

load helper

command() { on "$1" /src/build/ip-takeover "${@:2}"; }

@test "withdraw on alpha, claim on beta" {
	on client ping -q -c 1 -W 5 $address
	command alpha withdraw $address
	not holds_address alpha
	command beta claim $address
	holds_address beta
	neighbour_is beta
	on client ping -q -c 1 -W 5 $address
	wire_saw alpha beta
}

@test "the same over IPv6" {
	address=2001:db8::100
	on client ping -q -c 1 -W 5 $address
	command alpha withdraw $address
	not holds_address alpha
	command beta claim $address
	holds_address beta
	on client ping -q -c 1 -W 5 $address
	until_true 5 "the client knows beta" neighbour_is beta
}

@test "other addresses and routes stay as they are" {
	local before
	before=$(on alpha sh -c 'ip -o route; ip -o -6 route; ip -o address show dev eth0' | grep -v ' 192\.0\.2\.100')
	command alpha withdraw $address
	command alpha claim $address
	[ "$before" = "$(on alpha sh -c 'ip -o route; ip -o -6 route; ip -o address show dev eth0' |
		grep -v ' 192\.0\.2\.100')" ]
}

@test "a withdrawal that fails leaves the routes as they are" {
	local before
	on alpha ip route add 198.51.100.0/24 via 192.0.2.2 src $address
	before=$(on alpha ip -o route)
	on alpha sed -i "/$address/s/eth0/eth9/" /etc/criu/ip-takeover.conf
	exits 1 "cannot withdraw $address/24 on eth9: No such device" command alpha withdraw $address
	[ "$before" = "$(on alpha ip -o route)" ]
	holds_address alpha
}

@test "an address in use is not claimed" {
	exits 1 "in use by $(mac_of alpha); withdraw it there first" command beta claim $address
	not holds_address beta
}

@test "claim and withdraw of what is so already change nothing" {
	command alpha claim $address
	holds_address alpha
	command beta withdraw $address
	not holds_address beta
}

@test "only what the configuration names" {
	exits 1 "192.0.2.7 is not in this host's configuration" command alpha claim 192.0.2.7
	exits 1 "192.0.2.1 is not in this host's configuration" command alpha withdraw 192.0.2.1
	exits 1 "not an address that a host can own" command alpha claim 192.0.2
	exits 1 "ip-takeover.conf: No such file" command client claim $address
	on alpha chmod 666 /etc/criu/ip-takeover.conf
	exits 1 "others than root may write it" command alpha claim $address
}

@test "usage" {
	exits 0 "usage: ip-takeover VERB" command alpha --help
	exits 0 "ip-takeover [0-9]" command alpha --version
	exits 2 "usage: ip-takeover VERB" command alpha
	exits 2 'no verb "move"' command alpha move
	exits 2 "usage: ip-takeover claim ADDRESS" command alpha claim
	exits 2 "" command alpha status --nonsense
	exits 1 "no takeover 1234 on this host" command alpha rollback 1234
	exits 0 "no takeover on this host" command alpha status
	[ "$(command alpha status --json | jq length)" = 0 ]
}
