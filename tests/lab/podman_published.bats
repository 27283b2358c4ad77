#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Podman: a container on a bridge, whose peers reach it through a published port.

load helper
load engines
load podman

inside=198.51.100.10

bridge() {
	prepare_podman "$1" "$2"
	on "$1" podman network create --disable-dns --subnet "${3:-198.51.100.0/24}" inner
}

start() {
	on alpha podman run --detach --name redis --network inner --ip $inside --publish $address:6379:6379 \
		"$image" redis-server --bind 0.0.0.0 --protected-mode no --save ''
	pid=$(on alpha podman inspect --format '{{.State.Pid}}' redis)
	until_true 10 "redis answers" on client redis-cli -h "$address" PING
}

# Our tables beside netavark's, and the way to bind that was open while podman restored.
nothing_of_ours() {
	until_true 15 "the keepers of $1 end" no_keeper "$1"
	not on "$1" sh -c 'nft list ruleset | grep ip-takeover'
	on "$1" sh -c '! ls /run/ip-takeover | grep -v "json$"'
	[ "$(on "$1" sysctl -n net.ipv4.ip_nonlocal_bind)" = 0 ]
}

there_and_back() {
	bridge alpha "$1"
	bridge beta "$1"
	start
	podman_there_and_back
	wire_saw alpha beta alpha
	nothing_of_ours alpha
	nothing_of_ours beta
	on client redis-cli -h $address PING
}

@test "podman with runc: a container with a published port moves with 100 clients, and back" { there_and_back runc; }

@test "podman with crun: a container with a published port moves with 100 clients, and back" { there_and_back crun; }

@test "podman: the network there has another subnet: said before anything is touched" {
	bridge alpha runc
	bridge beta runc 203.0.113.0/24
	start
	start_load 20
	exits 1 "has another subnet than on the source" migrate_podman alpha beta
	container_is alpha running
	no_container beta
	end_load
	wire_saw alpha
}
