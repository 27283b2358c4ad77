#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Connections that a host translates, as for a container's published port, go along with their
# entries of connection tracking. Here the steps are done by hand: the guard, criu inside the
# container's network, the address.

load helper
load published

setup_file() { make -s -C "$top" build/nat; }

nat() { on "$1" /src/build/nat "$2" /shared/nat.json $address; }

busy() {
	start_boxed
	start_load 50 --interval-ms 10-30
}

guard() {
	on "$1" nft "table inet by-hand { chain c {
		type filter hook prerouting priority raw
		iif eth0 $family daddr $address drop
	}
	}"
}

unguard() { on "$1" nft delete table inet by-hand; }

# From here on nobody answers.
freeze() {
	guard alpha
	guard beta
	boxed alpha criu dump "${common[@]}" -t "$pid" -o dump.log 3>&-
	nat alpha list
	[ "$(jq length "$shared/nat.json")" = 50 ]
	on alpha /src/build/ip-takeover withdraw $address
	on beta /src/build/ip-takeover claim $address
}

thaw() {
	boxed beta criu restore "${common[@]}" -d -o restore.log 3>&-
	unguard beta
}

# known HOST: its translated connections as /proc/net/nf_conntrack has them, but for what changes.
known() {
	on "$1" cat /proc/net/nf_conntrack | grep "$(printf '%s' "${hex:-$inside}")" |
		sed -E 's/^(\S+ +\S+ +\S+ +\S+) [0-9]+/\1/; s/(packets|bytes|use|secctx)=\S+ ?//g; s/\[ASSURED\] //' | sort
}

# answered_by_beta: each client has had an answer from there.
answered_by_beta() {
	[ "$(on client tcpdump -nnqr /shared/capture \
		"ether src $(mac_of beta) and src host $address and tcp src port 6379" 2>/dev/null |
		awk '$NF > 0 { print $5 }' | sort -u | wc -l)" -ge 50 ]
}

moves() {
	busy
	container beta "${1:-7000}"
	freeze
	nat beta create
	diff <(known alpha) <(known beta)
	[ "$(known beta | wc -l)" = 50 ]
	thaw
	until_true 5 "all clients have an answer from beta" answered_by_beta
	end_load
	wire_saw alpha beta
}

@test "50 connections to a published port go on on the other host" { moves; }

@test "the same over IPv6" {
	hex=2001:0db8:0088:0000:0000:0000:0000:0005
	moves
}

@test "it is the entries: the other host's rule leads elsewhere, and it picks up no connection" {
	on beta sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
	moves 7001
}

@test "where the container sees its host in place of the peer" {
	peer_becomes=masquerade
	moves
	[ "$(jq -r '[.[].from[0]] | unique[]' "$shared/nat.json")" = "$gateway" ]
}

@test "without the entries the same connections die" {
	on beta sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
	busy
	container beta 7000
	freeze
	thaw
	until_true 5 "the load ends" on client sh -c '! pgrep -x takeover-load'
	[ "$(field "$shared/load.json" reset)" -gt 0 ]
}

# A client of 192.0.2.3:4000 that sends a datagram, and one that closes its half of a connection.
@test "UDP, half-closed connections, marks" {
	on alpha nft "table ip marks { chain c {
		type filter hook prerouting priority mangle
		iif eth0 ct mark set 7
	}
	}"
	container alpha 7000
	container beta 7000
	boxed alpha python3 -c "
import socket, threading
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(('$inside', 7000))
t = socket.socket()
t.bind(('$inside', 7000))
t.listen()
open('/shared/ready', 'w')
u.sendto(b'answer', u.recvfrom(9)[1])
c = t.accept()[0]
c.recv(1)
threading.Event().wait()
" 3>&- &
	until_true 5 "the server listens" test -e "$shared/ready"
	on client python3 -c "
import socket
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(('192.0.2.3', 4000))
u.sendto(b'question', ('$address', 6379))
assert u.recvfrom(9) == (b'answer', ('$address', 6379))
t = socket.create_connection(('$address', 6379))
t.shutdown(socket.SHUT_WR)
open('/shared/asked', 'w')
print(u.recvfrom(9), flush=True)
" >"$shared/heard" 3>&- &
	until_true 5 "the client has asked" test -e "$shared/asked"
	nat alpha list
	[ "$(jq -c '[.[] | [.protocol, .mark, .state]] | sort' "$shared/nat.json")" = \
		'[["tcp",7,"close-wait"],["udp",7,null]]' ]
	[ "$(jq -c '.[] | select(.protocol == "udp") | [.peer, .address, .to]' "$shared/nat.json")" = \
		'[["192.0.2.3",4000],["192.0.2.100",6379],["198.51.100.5",7000]]' ]
	on alpha /src/build/ip-takeover withdraw $address
	on beta /src/build/ip-takeover claim $address
	nat beta create
	diff <(known alpha) <(known beta)
	boxed beta python3 -c "
import socket
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(('$inside', 7000))
u.sendto(b'moved', ('192.0.2.3', 4000))
"
	until_true 5 "the datagram has come" grep -qx "(b'moved', ('$address', 6379))" "$shared/heard"
	nat beta remove
	[ -z "$(known beta)" ]
	nat beta remove
}

# entries PORT...: of one peer, that all lead to the same port.
entries() {
	local port
	for port; do
		printf '{"protocol": "tcp", "peer": ["192.0.2.3", 4000], "address": ["192.0.2.100", %d],
			"to": ["198.51.100.5", 7000], "seconds": 100}\n' "$port"
	done | jq -s . >"$shared/nat.json"
}

@test "what cannot be made is said, and then none is" {
	entries 6379
	exits 1 "1 connections are translated, and this host tracks none; it needs the rules" nat beta create
	container beta 7000
	entries 6379 6380
	exits 1 "192.0.2.3 port 4000 to 192.0.2.100 port 6380, which leads to 198.51.100.5 port 7000: this host has another" \
		nat beta create
	[ -z "$(known beta)" ]
	# In place of the same connection's.
	entries 6379
	nat beta create
	nat beta create
	[ "$(known beta | wc -l)" = 1 ]
	not on beta /src/build/nat create /shared/nat.json 192.0.2.101
	nat beta list
	[ "$(jq length "$shared/nat.json")" = 1 ]
	on beta /src/build/nat list /shared/nat.json 192.0.2.101
	[ "$(jq length "$shared/nat.json")" = 0 ]
}
