#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Podman by itself on its own networks: container, address and data change hosts, as long as
# nobody is connected.

load helper
load engines
load engines_podman

# Addresses of containers are none of the hosts'.
prepare() {
	local host
	for host in alpha beta; do
		prepare_podman $host runc
		"$1" $host
		criu_config $host runc "network-lock nftables"
	done
	on alpha ip addr del $address/24 dev eth0
}

key_is_there() { [ "$(on client redis-cli -h $address -t 1 GET key)" = "$1" ]; }

set_key() {
	on client ip neigh flush dev eth0
	until_true 10 "redis takes the key" on client redis-cli -h $address SET key there
}

@test "macvlan: address and MAC go with the container" {
	local mac
	prepare macvlan_network
	run_podman alpha --network lan --ip $address
	set_key
	mac=$(on alpha podman inspect -f '{{.NetworkSettings.Networks.lan.MacAddress}}' $container)
	podman_checkpoint alpha
	podman_restore beta
	[ "$(on beta podman inspect -f '{{.NetworkSettings.Networks.lan.MacAddress}}' $container)" = "$mac" ]
	[ "$(on beta podman inspect -f '{{.NetworkSettings.Networks.lan.IPAddress}}' $container)" = $address ]
	until_true 10 "the segment has learnt where the MAC is" key_is_there there
	[ "$(who_has)" = "$mac" ]
}

@test "bridge: the container keeps its address, and its published port wants the host's" {
	prepare bridge_network
	on alpha ip addr add $address/24 dev eth0
	run_podman alpha --network inner --ip 198.51.100.10 --publish $address:6379:6379
	set_key
	on alpha conntrack -L -p tcp | grep "src=192.0.2.3 dst=$address .*src=198.51.100.10 dst=192.0.2.3"
	podman_checkpoint alpha
	on alpha ip addr del $address/24 dev eth0
	exits 125 "cannot assign requested address" podman_restore beta
	on beta podman rm -f $container
	on beta ip addr add $address/24 dev eth0
	podman_restore beta
	on beta arping -q -c 1 -U -I eth0 $address
	until_true 10 "the port is published" key_is_there there
	[ "$(on beta podman inspect -f '{{.NetworkSettings.Networks.inner.IPAddress}}' $container)" = 198.51.100.10 ]
}

@test "a network namespace of ours: its address is there when we say so" {
	prepare netns_network
	on alpha ip -n service addr add $address/24 dev lan0
	run_podman alpha --network ns:/run/netns/service
	set_key
	podman_checkpoint alpha
	on alpha ip netns del service
	on beta ip -n service addr add $address/24 dev lan0
	podman_restore beta
	on beta ip netns exec service arping -q -c 1 -U -I lan0 $address
	until_true 10 "the segment has learnt where the MAC is" key_is_there there
}

@test "frozen behind podman's back, a container can be checkpointed, and stays frozen" {
	local cgroup
	prepare true
	on alpha ip addr add $address/24 dev eth0
	run_podman alpha --network host
	cgroup=$(podman_cgroup alpha)
	on alpha sh -c "echo 1 >$cgroup/cgroup.freeze"
	podman_checkpoint alpha --leave-running
	on alpha grep -x "frozen 1" "$cgroup/cgroup.events"
	on alpha sh -c "echo 0 >$cgroup/cgroup.freeze"
	on client redis-cli -h $address ping
}
