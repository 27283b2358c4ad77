#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Podman and crun, on the host's network: their own commands move the service with its address, once
# criu's configuration names the plugin, and somebody has armed it.

load helper
load engines
load engines_podman

plugin=(tcp-established "network-lock skip" "libdir /src/build/plugin")

podmen() {
	local host
	for host in alpha beta; do
		prepare_podman $host "$1"
		criu_config $host "$1" "${plugin[@]}"
	done
	run_podman alpha --network host
}

bundles() {
	local host
	for host in alpha beta; do
		prepare_bundle $host "$1"
		criu_config $host "$1" "${plugin[@]}"
	done
	run_oci alpha "$1"
}

arm() { on alpha /src/build/ip-takeover arm "--$1" $container; }

podman_moves() {
	podmen "$1"
	start_load 100
	arm podman
	podman_checkpoint alpha
	podman_restore beta
	moved
	[ "$(container_state alpha)" = exited ]
	[ "$(container_state beta)" = running ]
}

oci_moves() {
	bundles "$1"
	start_load 100
	arm "$1"
	oci_checkpoint alpha "$1"
	oci_restore beta "$1"
	moved
}

@test "podman with runc: checkpoint --export here, restore --import there" { podman_moves runc; }
@test "podman with crun: checkpoint --export here, restore --import there" { podman_moves crun; }
@test "crun: checkpoint here, restore there" { oci_moves crun; }

@test "podman: without the image there, the container goes on from the same archive once it is" {
	podmen runc
	start_load 20
	on beta podman rmi -f $image
	arm podman
	podman_checkpoint alpha
	not podman_restore beta
	not holds_address beta
	on beta podman load -q -i /shared/redis.tar
	podman_restore beta
	moved
}
