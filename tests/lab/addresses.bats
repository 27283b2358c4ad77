#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# As many service addresses as a configuration may name, in one takeover.

load helper

# many_move ADDRESS...
many_move() {
	local host a addresses=("$@")
	[ ${#addresses[@]} = 64 ]
	for host in alpha beta; do
		{
			echo 'addresses = ('
			printf '{ address = "%s"; device = "eth0"; },\n' "${addresses[@]}" | sed '$s/,$//'
			echo ');'
		} | on "$host" tee /etc/criu/ip-takeover.conf >/dev/null
	done
	printf 'address add %s dev eth0 nodad\n' "${addresses[@]}" | grep -v '::100/\|2.100/' |
		sed '/192.0.2/s/ nodad//' | on alpha ip -batch -
	on alpha redis-server --port 6379 --save '' --protected-mode no --bind '*' '-::*' \
		--daemonize yes --dir /tmp --pidfile /run/redis.pid --logfile /tmp/redis.log >/dev/null
	until_true 10 "redis writes its pidfile" on alpha test -s /run/redis.pid
	pid=$(on alpha cat /run/redis.pid)
	start_load 100 --interval-ms 10-30
	dump plugin
	restore beta plugin
	moved
	for a in "${addresses[@]}"; do
		[ "$(on client redis-cli -h "${a%/*}" -t 5 ping)" = PONG ]
	done
	# Hosts have kept their own.
	[ "$(on alpha ip -o address show dev eth0 scope global | wc -l)" = 2 ]
	[ "$(on beta ip -o address show dev eth0 scope global | wc -l)" = 66 ]
}

@test "64 addresses of both families, under one service" {
	# shellcheck disable=SC2046
	many_move $(printf '192.0.2.%d/24 ' {100..130}) $(printf '2001:db8::%d/64 ' {100..131} 200)
}

# Those need the most rules, and the longest.
@test "63 IPv6 addresses and one of IPv4, under one service" {
	# shellcheck disable=SC2046
	many_move 192.0.2.100/24 $(printf '2001:db8::%d/64 ' {100..162})
}
