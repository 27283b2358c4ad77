#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A program of the user's moves the address: here a route, which is the client's own, which BIRD
# announces, or FRR; or a floating address behind an HTTP API.

load helper
load migrate
load exec

address6=2001:db8:1::100
watched="host $address or host 192.0.2.100 or host $address6 or arp or icmp or icmp6"

@test "100 writing clients, by criu alone, and back" {
	route_program
	configure /shared/move
	claimed alpha
	start_redis
	start_load 100 --interval-ms 10-30
	dump plugin
	restore beta scripts
	until_true 15 "the keepers end" no_keeper beta
	owner_is beta
	[ "$(program_took dump withdraw)" -lt 5000 ]
	[ "$(program_took restore claim)" -lt 5000 ]
	rm -r "$shared/images"
	mkdir "$shared/images"
	on beta criu dump "${common[@]}" -t "$pid" -o dump.log --libdir /src/build/plugin 3>&-
	restore alpha plugin
	ends_at alpha via alpha beta alpha
}

@test "100 writing clients, by migrate, there and back, twice" {
	route_program
	configure /shared/move
	claimed alpha
	start_redis
	start_load 100 --interval-ms 10-30
	for _ in 1 2; do
		migrate alpha beta
		owner_is beta
		migrate beta alpha
	done
	ends_at alpha via alpha beta alpha beta alpha
	no_images
}

@test "an address of IPv6" {
	address=$address6 prefix=$address6/128
	neighbour_is() { on client ip -6 route show $prefix | grep -q "via $(on client getent hosts "${1}6" | cut -d ' ' -f 1) "; }
	route_program
	configure /shared/move
	claimed alpha
	start_redis
	start_load 100 --interval-ms 10-30
	migrate alpha beta
	moved
	no_images
}

# As a script does that was written for something else: the address goes with its device.
@test "a program that puts the address on the device itself, and takes it off" {
	address=192.0.2.100 prefix=192.0.2.100/24
	neighbour_is() { on client ip neigh show $address | grep -qi "lladdr $(mac_of "$1")"; }
	write_program <<-'END'
	#!/bin/sh
	set -e
	to=$IP_TAKEOVER_ADDRESS/$IP_TAKEOVER_PREFIXLEN
	case $1 in
	claim)
		ip address replace "$to" dev "$IP_TAKEOVER_DEVICE"
		arping -q -U -c 1 -I "$IP_TAKEOVER_DEVICE" "$IP_TAKEOVER_ADDRESS"
		;;
	withdraw) ! "$0" status || ip address del "$to" dev "$IP_TAKEOVER_DEVICE" ;;
	status) ip -o address show dev "$IP_TAKEOVER_DEVICE" to "$IP_TAKEOVER_ADDRESS" | grep -q . ;;
	esac
	END
	configure /shared/move
	start_redis
	start_load 100 --interval-ms 10-30
	migrate alpha beta
	owner_is beta
	migrate beta alpha
	ends_at alpha via alpha beta alpha
	no_images
}

# As is usual with a route of one host: nobody on that device hears an announcement.
@test "an address on a device that leads nowhere" {
	local host
	route_program
	configure /shared/move
	for host in alpha beta; do
		on "$host" sh -c 'ip link add service0 type bridge && ip link set service0 up
			sed -i s/eth0/service0/ /etc/criu/ip-takeover.conf'
	done
	claimed alpha
	start_redis
	start_load 100 --interval-ms 10-30
	migrate alpha beta
	owner_is beta
	no_journal alpha
	migrate beta alpha
	ends_at alpha via alpha beta alpha
	no_images
}
