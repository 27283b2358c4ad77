# SPDX-License-Identifier: GPL-2.0-only
# For exec*.bats: a service address that is a route of the client's.
# shellcheck disable=SC2154,SC2034 # variables of, and for, helper.bash

address=198.51.100.100
prefix=198.51.100.100/32

# configure PROGRAM [SECONDS]: on both hosts.
configure() {
	local host
	for host in alpha beta; do
		on "$host" tee /etc/criu/ip-takeover.conf >/dev/null <<-END
		addresses = (
			{ address = "$prefix"; device = "eth0"; backend = "exec"; program = "$1"; seconds = ${2:-5}; }
		);
		END
	done
}

# write_program [FILE]: with the text of stdin, for both hosts.
write_program() {
	cat >"$shared/${1:-move}"
	chmod 755 "$shared/${1:-move}"
}

# The client's own route says which host has the address; told by ssh, as of any router.
route_program() {
	write_program "$@" <<-'END'
	#!/bin/sh
	set -eu
	echo "$(hostname) $1" >>/shared/called
	to=$IP_TAKEOVER_ADDRESS/$IP_TAKEOVER_PREFIXLEN
	case $IP_TAKEOVER_FAMILY in inet) ip=ip own= ;; inet6) ip='ip -6' own=6 ;; esac
	via=$(getent hosts "$(hostname)$own" | cut -d ' ' -f 1)
	case $1 in
	claim) ssh client $ip route replace "$to" via "$via" ;;
	withdraw) ssh client "$ip route show $to via $via | grep -q . || exit 0; $ip route del $to via $via" ;;
	status)
		route=$(ssh client $ip route show "$to" via "$via") || exit 2
		[ -n "$route" ]
		;;
	esac
	END
}

# claimed HOST: where it begins.
claimed() { on "$1" /src/build/ip-takeover claim $address; }

# What `neighbour_is` is for an address on the segment.
neighbour_is() { on client ip route show $prefix | grep -q "via $(on client getent hosts "$1" | cut -d ' ' -f 1) "; }

# program_took ROLE VERB: how long, in ms, by that side's record.
program_took() {
	jq -r --arg verb "$2" '.events[].what | capture("^program " + $verb + " (?<ms>[0-9]+) ms$").ms' \
		"$shared/images/ip-takeover-$1.json"
}
