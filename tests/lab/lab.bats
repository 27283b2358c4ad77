#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The lab itself: three hosts, idempotent, side by side, and nothing left.

top=$(realpath "$BATS_TEST_DIRNAME/../..")
labs=/run/criu-ip-takeover-lab

lab() { "$top/scripts/lab" "$@"; }
on() { lab exec "$@"; }
not() { ! "$@"; }

setup() {
	export LAB=own-$$
	lab up
}

teardown() {
	lab down
	LAB=$LAB-second lab down
}

@test "three hosts on one segment" {
	local from to
	for from in alpha beta client; do
		[ "$(on $from hostname)" = $from ]
		for to in 192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::1 2001:db8::2 2001:db8::3; do
			on $from ping -q -c 1 -W 5 $to
		done
	done
	on alpha ip address show dev eth0 | grep 'inet 192.0.2.100/24'
	on alpha ip address show dev eth0 | grep 'inet6 2001:db8::100/64'
	on client ping -q -c 1 -W 5 192.0.2.100
	on client ping -q -c 1 -W 5 2001:db8::100
}

@test "exec passes standard input, output and exit status" {
	local status=0
	[ "$(echo in | on alpha sed s/in/out/)" = out ]
	on beta sh -c 'exit 7' || status=$?
	[ $status = 7 ]
	on delta true || status=$?
	[ $status = 125 ]
}

@test "alpha and beta reach each other by ssh, know CRIU and their addresses" {
	[ "$(on alpha ssh beta hostname)" = beta ]
	[ "$(on beta ssh alpha hostname)" = alpha ]
	on alpha criu check
	on alpha grep 192.0.2.100 /etc/criu/ip-takeover.conf
	on beta grep 2001:db8::100 /etc/criu/ip-takeover.conf
	not on client test -e /etc/criu/ip-takeover.conf
}

@test "the checkout is read-only, /shared is common, PIDs differ" {
	on alpha test -x /src/scripts/lab
	not on alpha touch /src/x
	on alpha sh -c 'echo word >/shared/x'
	[ "$(on client cat /shared/x)" = word ]
	not on beta test -e "/proc/$(on alpha sh -c 'echo $$')"
}

@test "up again changes nothing" {
	on alpha touch /tmp/x
	lab up
	on alpha test -e /tmp/x
}

@test "two labs side by side do not see each other" {
	LAB=$LAB-second lab up
	[ "$(on alpha cat /sys/class/net/eth0/address)" != \
		"$(LAB=$LAB-second on alpha cat /sys/class/net/eth0/address)" ]
	on alpha touch /shared/x
	not test -e "$labs/$LAB-second/shared/x"
	on client ip neigh flush all
	on client ping -q -c 1 -W 5 192.0.2.1
	on client ip neigh show 192.0.2.1 | grep "$(on alpha cat /sys/class/net/eth0/address)"
	LAB=$LAB-second lab down
	on client ping -q -c 1 -W 5 192.0.2.1
}

@test "nothing is left after down" {
	local segment
	read -r segment _ <"$labs/$LAB/segment.pid"
	lab down
	not test -e "$labs/$LAB"
	not grep -q "$labs/$LAB" /proc/self/mounts
	not kill -0 "$segment"
	lab down
}

@test "up after a crash cleans first" {
	local segment alpha
	read -r segment _ <"$labs/$LAB/segment.pid"
	read -r alpha _ <"$labs/$LAB/alpha.pid"
	touch "$labs/$LAB/shared/old"
	kill -9 "$segment"
	lab up
	not test -e "$labs/$LAB/shared/old"
	not kill -0 "$alpha"
	on alpha true
}

@test "install adds a Debian package to every host" {
	not on beta which tree
	lab install tree
	on alpha tree --version
	on beta tree --version
	on client tree --version
}
