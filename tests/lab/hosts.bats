#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Takeovers on hosts as administrators configure them.

load helper

# The capture begins before the test does.
[[ $BATS_TEST_NAME != *IPv6* ]] || address=2001:db8::100

# The administrator's own tables stay.
nothing_left() {
	local host=$1
	until_true 15 "the keepers of $host end" no_keeper "$host"
	[ -z "$(on "$host" nft list tables | grep -v 'table inet filter')" ]
	on "$host" sh -c '! ls /run/ip-takeover | grep -v "json$"'
	[ -z "$(on "$host" cat /proc/net/netfilter/nfnetlink_queue)" ]
}

both() {
	on alpha "$@"
	on beta "$@"
}

busy() {
	start_redis
	start_load 50 --interval-ms 10-30
}

# all_answered_by HOST TIME: every client has had an answer from there since TIME.
all_answered_by() {
	[ "$(on client tcpdump -ttnnqr /shared/capture \
		"ether src $(mac_of "$1") and src host $address and tcp src port 6379" 2>/dev/null |
		awk -v since="$2" '$1 > since && $NF > 0 { print $5 }' | sort -u | wc -l)" -ge 50 ]
}

# served_by HOST TIME
served_by() {
	holds_address "$1"
	until_true 3 "all clients have an answer from $1" all_answered_by "$1" "$2"
	answers_go_on
}

there() {
	local since
	since=$(date +%s.%N)
	dump plugin
	restore beta plugin
	served_by beta "$since"
}

back() {
	local since
	since=$(date +%s.%N)
	rm -r "$shared/images"
	mkdir "$shared/images"
	on beta criu dump "${common[@]}" -t "$pid" -o dump.log --libdir /src/build/plugin 3>&-
	restore alpha plugin
	served_by alpha "$since"
}

came_back() { ends_at alpha via alpha beta alpha; }

there_and_back() {
	busy
	there
	back
	came_back
}

@test "strict rp_filter, arp_ignore, arp_announce, arp_filter" {
	both sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=1 \
		net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 \
		net.ipv4.conf.all.arp_filter=1 net.ipv4.conf.eth0.arp_filter=1
	there_and_back
}

@test "arp_ignore=2" {
	both sysctl -qw net.ipv4.conf.all.arp_ignore=2 net.ipv4.conf.all.arp_announce=2
	there_and_back
}

# policy NEW: both hosts drop what is neither of a known connection nor NEW to redis. CRIU
# tries out TCP_REPAIR on the loopback device.
policy() {
	both nft "table inet filter {
		chain input {
			type filter hook input priority filter; policy drop;
			iif lo accept
			ct state established,related accept
			$1 ct state new accept
			meta l4proto { icmp, ipv6-icmp } accept
		}
		chain output {
			type filter hook output priority filter; policy drop;
			oif lo accept
			ct state established,related accept
			meta l4proto { icmp, ipv6-icmp } accept
		}
	}"
}

@test "an nftables policy of drop that lets new connections to redis in" {
	policy 'tcp dport 6379'
	there_and_back
	not on beta grep $address /proc/net/nf_conntrack
}

@test "an nftables policy of drop that takes only a SYN for new" {
	policy 'tcp dport 6379 tcp flags & (fin | syn | rst | ack) == syn'
	there_and_back
}

@test "the same over IPv6" {
	policy 'tcp dport 6379 tcp flags & (fin | syn | rst | ack) == syn'
	there_and_back
	not on beta grep 2001:0db8:0000:0000:0000:0000:0000:0100 /proc/net/nf_conntrack
}

@test "the same where conntrack picks up no connection" {
	both sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
	policy 'tcp dport 6379 tcp flags & (fin | syn | rst | ack) == syn'
	there_and_back
}

forwarding() {
	both sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

forwarded() { on alpha awk '/^Ip: [0-9]/ { print $7 }' /proc/net/snmp; }

no_redirect() {
	[ -z "$(on client tcpdump -nr /shared/capture 'icmp[icmptype] = icmp-redirect' 2>/dev/null)" ]
}

@test "hosts that forward, with a second in which nobody has the address" {
	forwarding
	busy
	dump plugin
	# The time itself is the point: the longest retransmission timer runs meanwhile.
	sleep 1
	restore beta plugin
	[ "$(forwarded)" = 0 ]
	moved
	no_redirect
}

# A restore that fails when beta has announced itself already.
@test "claimed and rolled back on a host that forwards" {
	forwarding
	cat >"$shared/refuse" <<-'END'
	#!/bin/sh
	[ "$CRTOOLS_SCRIPT_ACTION" != post-restore ]
	END
	chmod +x "$shared/refuse"
	busy
	dump plugin
	not restore beta none --action-script /shared/refuse --action-script /src/build/criu-action
	until_true 10 "beta's keeper ends" no_keeper beta
	not holds_address beta
	says beta 'this host forwards'
	on client ip neigh replace $address lladdr "$(mac_of beta)" dev eth0 nud reachable
	not on client ping -q -c 3 -i 0.1 -w 1 $address
	restore alpha plugin
	served_by alpha 0
	forget beta
	came_back
	no_redirect
}

abandoned() {
	forwarding
	on alpha sh -c 'echo "hold_seconds = 1;" >>/etc/criu/ip-takeover.conf'
	busy
	dump plugin
	until_true 10 "alpha gives up" on alpha sh -c '/src/build/ip-takeover status | grep -q abandoned'
	until_true 10 "alpha's keeper ends" no_keeper alpha
	not holds_address alpha
	says alpha 'this host forwards'
	# Clients that still believe that alpha has it.
	on client ip neigh replace $address lladdr "$(mac_of alpha)" dev eth0 nud reachable
	not on client ping -q -c 3 -i 0.1 -w 1 $address
	[ "$(forwarded)" = 0 ]
}

@test "abandoned on a host that forwards, then restored on beta" {
	abandoned
	restore beta plugin
	served_by beta 0
	forget alpha
	moved
	no_redirect
}

@test "abandoned on a host that forwards, then restored there" {
	abandoned
	restore alpha plugin
	stayed
	no_redirect
}

@test "abandoned on a host that forwards, then claimed by hand" {
	abandoned
	on alpha /src/build/ip-takeover claim $address
	nothing_left alpha
	on client ping -q -c 1 -W 5 $address
}

# primary PROMOTE_SECONDARIES: alpha's own address is a secondary of the service's.
primary() {
	on alpha sysctl -qw net.ipv4.conf.all.promote_secondaries=0 \
		net.ipv4.conf.eth0.promote_secondaries="$1"
	on alpha ip address flush scope global dev eth0
	on alpha ip address add $address/24 dev eth0
	on alpha ip address add 192.0.2.1/24 dev eth0
	on alpha ip -o address show to 192.0.2.1 | grep secondary
}

# own_unchanged PROMOTE_SECONDARIES
own_unchanged() {
	on alpha ip -o address show dev eth0 to 192.0.2.1/32 | grep -q 192.0.2.1/24
	[ "$(on alpha cat /proc/sys/net/ipv4/conf/eth0/promote_secondaries)" = "$1" ]
	[ "$(on alpha cat /proc/sys/net/ipv4/conf/all/promote_secondaries)" = 0 ]
	on alpha ping -q -c 1 -W 5 -I 192.0.2.1 192.0.2.2
}

# primary_moves PROMOTE_SECONDARIES
primary_moves() {
	primary "$1"
	busy
	there
	own_unchanged "$1"
	back
	own_unchanged "$1"
	came_back
}

@test "alpha's own address is secondary to the service's" { primary_moves 0; }
@test "alpha's own address is secondary to the service's, promote_secondaries" { primary_moves 1; }

# Back again it is the secondary one: the kernel appends what is added.
@test "alpha's own address is secondary to the service's, dump -R" {
	primary 0
	busy
	dump plugin -R
	own_unchanged 0
	stayed journal alpha
}

# single: the service address has no subnet, on both hosts.
single() {
	both sed -i "s|$address/24|$address/32|" /etc/criu/ip-takeover.conf
	on alpha ip address del $address/24 dev eth0
	on alpha ip address add $address/32 dev eth0
}

@test "a service address of prefix 32" {
	single
	there_and_back
	on alpha ip -o address show to $address | grep $address/32
}

@test "a service address of another prefix than the configuration's" {
	single
	both sed -i "s|$address/32|$address/24|" /etc/criu/ip-takeover.conf
	busy
	dump plugin -R
	on alpha ip -o address show to $address | grep $address/32
	answers_go_on
	pid=$(on alpha cat /run/redis.pid)
	rm -r "$shared/images"
	dump plugin
	restore beta plugin
	on beta ip -o address show to $address | grep $address/24
	moved
}

# routed: alpha's default route and others have the service address for their source.
routed() {
	on alpha ip route add default via 192.0.2.254 src 192.0.2.100 metric 5 mtu 1400
	on alpha ip route add 198.51.100.0/24 src 192.0.2.100 nexthop via 192.0.2.253 nexthop via 192.0.2.252
	on alpha ip route add 203.0.113.0/24 dev eth0 src 192.0.2.100 table 7
	on alpha ip route add 203.0.113.1 via 192.0.2.254 src 192.0.2.1
	on alpha ip -6 route add 2001:db8:1::/48 via 2001:db8::254 src 2001:db8::100
	on alpha ip -6 route add default via 2001:db8::254 src 2001:db8::100 metric 7
}

routes() { on alpha sh -c 'ip route show table all; ip -6 route show table all' | grep -v ' proto kernel '; }

@test "routes with the service address as their source stay without it" {
	local before
	routed
	before=$(routes)
	busy
	dump plugin
	restore beta plugin
	moved
	diff <(echo "$before" | grep -v '^local' | sed "s/ src $address//") <(routes | grep -v '^local')
	field "$shared/images/ip-takeover-dump.json" message | grep 'routes that lose their source address'
	field "$shared/images/ip-takeover-dump.json" message | grep 'default via 192.0.2.254 dev eth0'
}

@test "routes with the service address as their source are the same after dump -R" {
	local before
	routed
	before=$(routes)
	busy
	dump plugin -R
	diff <(echo "$before") <(routes)
	not says alpha 'lose their source'
	stayed journal alpha
}

@test "IPv6 routes with the service address as their source are the same after dump -R" {
	local before
	routed
	before=$(routes)
	busy
	dump plugin -R
	diff <(echo "$before") <(routes)
	stayed journal alpha
}

@test "ip-takeover withdraw keeps routes with the address as their source" {
	local before
	routed
	before=$(routes)
	on alpha /src/build/ip-takeover withdraw $address 2>&1 | grep 'lose their source address with it'
	diff <(echo "$before" | grep -v '^local' | sed "s/ src $address//") <(routes | grep -v '^local')
}

# What ip shows of alpha's eth0, but for the order and the seconds that go by.
addresses() { on alpha ip address show dev eth0 | sed 's/[0-9]*sec/sec/g' | sort; }

# As NetworkManager does: the kernel is to make no route, and gets one made.
@test "what is set on the address is the same after dump -R" {
	local before
	on alpha ip address del $address/24 dev eth0
	on alpha ip address add $address/25 broadcast 192.0.2.127 label eth0:svc noprefixroute \
		valid_lft 5000 preferred_lft 4000 dev eth0
	on alpha ip route add 192.0.2.0/25 dev eth0 proto kernel scope link src $address metric 100
	on alpha ip address del 2001:db8::100/64 dev eth0
	on alpha ip address add 2001:db8::100/64 dev eth0 nodad metric 7 preferred_lft 0
	before=$(addresses; on alpha ip route; on alpha ip -6 route)
	on alpha redis-server --bind 192.0.2.100 2001:db8::100 --port 6379 --save '' \
		--protected-mode no --daemonize yes --dir /tmp --pidfile /run/redis.pid \
		--logfile /tmp/redis.log >/dev/null
	until_true 10 "redis writes its pidfile" on alpha test -s /run/redis.pid
	pid=$(on alpha cat /run/redis.pid)
	start_load 50 --interval-ms 10-30
	dump plugin -R
	diff <(echo "$before") <(addresses; on alpha ip route; on alpha ip -6 route)
	stayed journal alpha
}

device=eth0
mac_of() { on "$1" cat "/sys/class/net/$device/address"; }

# addresses_on DEVICE HOST...: they and the configuration change to another device.
addresses_on() {
	local host own
	device=$1
	for host in "${@:2}"; do
		own=$(on "$host" ip -o -4 address show dev eth0 | awk '{ print $4 }')
		on "$host" ip address flush scope global dev eth0
		on "$host" sed -i "s/eth0/$device/" /etc/criu/ip-takeover.conf
		on "$host" ip link set "$device" up
		for own in $own; do on "$host" ip address add "$own" dev "$device"; done
	done
}

bridge() {
	local host
	for host; do
		on "$host" ip link add br0 type bridge stp_state 0
		on "$host" ip link set br0 address "$(on "$host" cat /sys/class/net/eth0/address)"
		on "$host" ip link set eth0 master br0
	done
	addresses_on br0 "$@"
	# Of the same MAC.
	device=eth0
}

@test "both hosts have their addresses on a bridge" {
	bridge alpha beta
	there_and_back
}

@test "alpha alone has its addresses on a bridge" {
	bridge alpha
	there_and_back
}

# Where a kernel has no VLAN devices: a macvlan is stacked on eth0 likewise, has a MAC of
# its own besides, and the hooks that see its packets are those of a VLAN device. eth0 sees
# the same ARP requests, and is not to answer them.
@test "both hosts have their addresses on a macvlan device" {
	both sysctl -qw net.ipv4.conf.eth0.arp_ignore=1
	both ip link add link eth0 name mac0 type macvlan mode bridge
	addresses_on mac0 alpha beta
	there_and_back
}

@test "the service address has a routing table of its own" {
	local before
	both ip route add default via 192.0.2.254 table 100
	both ip route add 192.0.2.0/24 dev eth0 table 100
	both ip rule add from $address lookup 100
	before=$(both ip route show table 100)
	there_and_back
	[ "$before" = "$(both ip route show table 100)" ]
}

# A packet socket takes so much, and refuses the rest until the wire has sent it.
@test "what waits on alpha is relayed whole through a slow wire" {
	start_redis
	start_load 10 --interval-ms 10-30
	dump plugin
	on client python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
for i in range(2000):
	s.sendto(b'\x08\x00\xf7\xff' + bytes(1400), ('$address', 0))"
	on alpha tc qdisc add dev eth0 root tbf rate 50mbit burst 10kb latency 5s
	restore beta plugin
	moved
	[ "$(field "$shared/images/ip-takeover-dump.json" relayed)" -ge 2000 ]
}
