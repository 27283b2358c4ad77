#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The same over IPv6, and with both families in one takeover.

load helper

address=2001:db8::100

# takeover WAY CONNECTIONS
takeover() {
	start_redis
	start_load "$2" --interval-ms 10-30
	dump "$1"
	restore beta "$1"
	moved
}

@test "100 connections over IPv6, plugin" { takeover plugin 100; }
@test "1000 connections over IPv6, scripts" { takeover scripts 1000; }

@test "a failing restore over IPv6, then one on alpha" {
	start_redis
	start_load 100 --interval-ms 10-30
	dump plugin
	on beta sh -c 'echo "addresses = ({ address = \"192.0.2.100/24\"; device = \"eth0\"; });" \
		>/etc/criu/ip-takeover.conf'
	not restore beta plugin
	is_clean beta
	restore alpha plugin
	stayed
}

# As an engine leaves it that has just brought up a container's device.
@test "an address on beta already, about which its kernel still asks" {
	start_redis
	start_load 100 --interval-ms 10-30
	dump plugin
	on beta sysctl -qw net.ipv6.conf.eth0.accept_dad=1 net.ipv6.conf.eth0.dad_transmits=30
	on beta ip address add $address/64 dev eth0
	on beta ip -o -6 address show dev eth0 tentative | grep $address
	restore beta plugin
	[ -z "$(on beta ip -o -6 address show dev eth0 tentative)" ]
	moved
}

@test "both families in one takeover" {
	on alpha redis-server --bind 192.0.2.100 2001:db8::100 --port 6379 --save '' \
		--protected-mode no --daemonize yes --dir /tmp --pidfile /run/redis.pid \
		--logfile /tmp/redis.log >/dev/null
	until_true 10 "redis writes its pidfile" on alpha test -s /run/redis.pid
	pid=$(on alpha cat /run/redis.pid)
	start_load 100 --interval-ms 10-30
	dump plugin
	restore beta plugin
	moved
	address=192.0.2.100
	holds_address beta
	not holds_address alpha
	answers_go_on
	[ "$(who_has)" = "$(mac_of beta)" ]
}
