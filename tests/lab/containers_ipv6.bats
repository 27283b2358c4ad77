#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Containers whose service address is of IPv6.
# shellcheck disable=SC2154 # variables of helper and engines

load helper
load engines
load migrate
load podman

address=2001:db8::100

# A container on macvlan keeps its MAC, so there is no telling who has spoken. The outer guard
# (outer.h) and the keeper within let a question of the kernel's for another owner pass, and nothing
# that is for a socket.
nothing_forbidden() {
	local bad
	bad=$(on client tcpdump -nnettr /shared/capture "$forbidden" 2>/dev/null)
	[ -z "$bad" ] || tell_of "$bad"
	[ -z "$bad" ]
}

# Whoever asks too soon gets an RST.
ready() {
	until_true 10 "redis listens" on alpha sh -c 'podman logs redis 2>&1 | grep "Ready to accept"'
	until_true 10 "redis answers" on client redis-cli -h $address PING
}

on_macvlan6() {
	local host
	for host in alpha beta; do
		prepare_podman $host "$1"
		on $host podman network create -d macvlan -o parent=eth0 --ipv6 --subnet 2001:db8::/64 lan
	done
	on alpha ip address del $address/64 dev eth0
	# Podman does not wait for the address; who binds to one that is tentative is refused.
	# shellcheck disable=SC2016 # that shell expands
	on alpha podman run --detach --name redis --network lan --ip6 $address "$image" sh -c \
		'while grep " c0 *eth0" /proc/net/if_inet6; do sleep 0.1; done; exec redis-server "$@"' \
		sh --bind $address --protected-mode no --save ''
	ready
}

macvlan() {
	on_macvlan6 "$1"
	podman_there_and_back
	no_images
	nothing_forbidden
	nothing_left alpha
	nothing_left beta
}

@test "podman with crun: macvlan, there and back" { macvlan crun; }

published() {
	local host
	for host in alpha beta; do
		prepare_podman $host "$1"
		on $host podman network create --disable-dns --ipv6 --subnet 2001:db8:88::/64 inner
	done
	on alpha podman run --detach --name redis --network inner --ip6 2001:db8:88::10 --publish "[$address]:6379:6379" \
		"$image" redis-server --bind :: --protected-mode no --save ''
	ready
	podman_there_and_back
	no_images
	wire_saw alpha beta alpha
	for host in alpha beta; do
		until_true 15 "the keepers of $host end" no_keeper $host
		not on $host sh -c 'nft list ruleset | grep ip-takeover'
		[ "$(on $host sysctl -n net.ipv6.ip_nonlocal_bind)" = 0 ]
	done
}

@test "podman with runc: a published port, there and back" { published runc; }

on_host() {
	local from=alpha to=beta
	prepare_runtime alpha "$1"
	prepare_runtime beta "$1"
	run_container "$1"
	start_load 100
	for _ in there back; do
		on $from /src/build/ip-takeover migrate "--$1" redis --to $to --remote-program /src/build/ip-takeover 3>&-
		on $to "$1" state redis | jq -e '.status == "running"'
		not on $from "$1" state redis
		from=beta to=alpha
	done
	ends_at alpha via alpha beta alpha
	no_images
}

@test "crun: the host's network, there and back" { on_host crun; }

# A tap on a device sees what leaves it behind the guard's hook.
@test "podman: on macvlan nothing but the question for another owner leaves beta before it is claimed" {
	local mac before
	on_macvlan6 runc
	mac=$(on alpha podman container inspect -f '{{(index .NetworkSettings.Networks "lan").MacAddress}}' redis)
	on beta tcpdump -i eth0 -Q out --immediate-mode -U -w /shared/left "ether src $mac" 2>"$shared/left.log" 3>&- &
	until_true 10 "tcpdump listens" grep -q listening "$shared/left.log"
	start_load 100
	migrate_podman alpha beta
	container_is beta running
	end_load
	on beta pkill -INT -x tcpdump
	until_true 5 "tcpdump ends" on beta sh -c '! pgrep -x tcpdump'
	# Its announcement is the first word in its name. From when the keeper guards, which is only the
	# address, switches hear of the groups that its questions will come to (RFC 3810).
	before=$(on client tcpdump -nntr /shared/left 2>/dev/null | sed '/^IP6 2001:db8::100 /,$d')
	echo "$before"
	not grep -v -e '^IP6 :: > ff02::1:ff[^ ]*: ICMP6, neighbor solicitation, who has ' \
		-e '^IP6 [^ ]* > ff02::16: HBH ICMP6, multicast listener report' <<<"$before"
}

@test "podman: a restore on macvlan that fails" {
	on_macvlan6 runc
	fail_restore beta runc post-setup-namespaces
	start_load 100
	stays_here
	no_container beta
	nothing_forbidden
}
