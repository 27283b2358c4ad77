#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Containers of podman.

load helper
load engines
load migrate
load podman

there_and_back() {
	prepare_podman alpha "$1"
	prepare_podman beta "$1"
	run_podman alpha --network host --label colour=blue --env A=b --restart always
	start_load 100
	migrate_podman alpha beta
	container_is beta running
	no_container alpha
	migrate_podman beta alpha
	container_is alpha running
	no_container beta
	end_load
	wire_saw alpha beta alpha
	no_images
}

@test "podman with runc: a container moves with 100 clients, and back" {
	there_and_back runc
}

@test "podman with crun: a container moves with 100 clients, and back" {
	there_and_back crun
}

# Its address is that of the service, on eth0 in it; alpha's own eth0 has it no more.
on_macvlan() {
	local host
	for host in alpha beta; do
		prepare_podman $host "$1"
		macvlan_network $host
	done
	on alpha ip address del "$address/24" dev eth0
	run_podman alpha --network lan --ip "$address"
}

@test "podman with runc: a container on macvlan moves with 100 clients, and back" {
	on_macvlan runc
	start_load 100
	migrate_podman alpha beta
	container_is beta running
	no_container alpha
	migrate_podman beta alpha
	container_is alpha running
	no_container beta
	end_load
	no_images
	nothing_left alpha
	nothing_left beta
}
