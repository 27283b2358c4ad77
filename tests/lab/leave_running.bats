#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# docker checkpoint create --leave-running, and podman's and runc's: copies of a service that goes
# on. Nobody has armed anything; criu loads the plugin.

load helper
load checkpoint
load engines
load podman
load leave_running

# The capture begins before the test does.
[[ ${BATS_TEST_NAME:-} != *IPv6* ]] || address=2001:db8::100

# run_docker NETWORK
run_docker() {
	on alpha docker run --detach --name r1 --network "$1" $image redis-server --bind "$address" --protected-mode no --save ''
	until_true 10 "redis answers" on client redis-cli -h "$address" PING
}

docker_copy() { on alpha docker checkpoint create --leave-running r1 "copy$1"; }

podman_copy() {
	on alpha podman container checkpoint --leave-running --tcp-established --compress none --export /var/tmp/copy.tar redis &&
		on alpha rm /var/tmp/copy.tar
}

runc_copy() {
	on alpha rm -rf /var/tmp/copy &&
		on alpha runc checkpoint --leave-running --image-path /var/tmp/copy --work-path /var/tmp/copy redis
}

# copied CMD [COPIES]: under load.
copied() {
	watch_addresses
	start_load 100 --interval-ms 10-30
	every_second "$(copies "${2:-}")" "$1"
	unnoticed
}

@test "docker, on the host's network" {
	start_docker alpha
	installed
	run_docker host
	copied docker_copy
	[ "$(on alpha docker inspect -f '{{.State.Status}}' r1)" = running ]
	holds_address alpha
	wire_saw alpha
}

@test "docker, in the network of another container" {
	start_docker alpha
	installed
	on alpha ip address del "$address/24" dev eth0
	on alpha docker network create -d macvlan -o parent=eth0 --subnet 192.0.2.0/24 lan
	on alpha docker run --detach --name pause --network lan --ip "$address" $image sleep 100000
	run_docker container:pause
	copied docker_copy
	[ "$(on alpha docker inspect -f '{{.State.Status}}' r1)" = running ]
	no_rst
}

@test "podman, on the host's network" {
	prepare_podman alpha runc
	installed
	run_podman alpha --network host
	copied podman_copy
	container_is alpha running
	holds_address alpha
	wire_saw alpha
}

@test "podman, on macvlan" {
	prepare_podman alpha runc
	installed
	macvlan_network alpha
	on alpha ip address del "$address/24" dev eth0
	run_podman alpha --network lan --ip "$address"
	copied podman_copy
	container_is alpha running
	no_rst
}

@test "podman, behind a published port" {
	prepare_podman alpha runc
	installed
	on alpha podman network create --disable-dns --subnet 198.51.100.0/24 inner
	on alpha podman run --detach --name redis --network inner --ip 198.51.100.10 --publish "$address:6379:6379" \
		"$image" redis-server --bind 0.0.0.0 --protected-mode no --save ''
	until_true 10 "redis answers" on client redis-cli -h "$address" PING
	copied podman_copy
	container_is alpha running
	holds_address alpha
	wire_saw alpha
}

prepare_runc() {
	prepare_runtime alpha runc
	installed
	run_container runc
}

# CRIU takes its lock away before the thaw, and the kernel drops with it what waits in our queue
# (lost.h). Without the copies their senders' own timers would bring it: after 0.2, 0.6, 1.4, 3.0
# and 6.2 seconds.
dropped() {
	prepare_runc
	# shellcheck disable=SC2016 # for the script
	printf '#!/bin/sh\n[ "$CRTOOLS_SCRIPT_ACTION" != post-dump ] || sleep 3.5\n' >"$shared/slow"
	chmod +x "$shared/slow"
	on alpha sh -c 'echo "action-script /shared/slow" >>/etc/criu/runc.conf'
	start_load 100 --interval-ms 10-30
	runc_copy
	until_true 10 "the keeper ends" no_keeper alpha
	on alpha jq -e '[.events[].what] | index("what the kernel dropped comes again")' /var/tmp/copy/ip-takeover-dump.json
	end_load
	jq -e '.longest_wait_s | . > 3.4 and . < 5.5' "$shared/load.json"
	nothing_of_ours
	wire_saw alpha
}

@test "what the kernel drops with CRIU's lock comes again" { dropped; }
@test "what the kernel drops with CRIU's lock comes again, over IPv6" { dropped; }

@test "runc: no address of it is configured: nothing is held, and a line in criu's log says so" {
	prepare_runc
	on alpha sh -c 'echo "addresses = ({ address = \"203.0.113.9/24\"; device = \"eth0\"; });" >/etc/criu/ip-takeover.conf'
	copied runc_copy
	[ "$(on alpha grep -c 'ip-takeover: ' /var/tmp/copy/dump.log)" = 1 ]
	on alpha grep 'nothing to take over' /var/tmp/copy/dump.log
	on alpha rm /etc/criu/ip-takeover.conf
	runc_copy
	[ "$(on alpha grep -c 'ip-takeover: ' /var/tmp/copy/dump.log)" = 1 ]
	on alpha grep 'nothing to do' /var/tmp/copy/dump.log
	holds_address alpha
	wire_saw alpha
}

# As containerd has it before criu starts. Nothing drains then.
@test "a container in the freezer is not waited for" {
	prepare_runc
	on alpha sh -c 'echo "quiesce_ms = 5000;" >>/etc/criu/ip-takeover.conf'
	on alpha runc pause redis
	on client bash -c ": >/dev/tcp/$address/6379"
	on alpha sh -c 'ss -Hltn "sport = :6379" | grep -q "LISTEN 1 "'
	# What criu itself says of a connection that is not accepted.
	exits 1 "criu failed" runc_copy
	on alpha grep "In-flight connection" /var/tmp/copy/dump.log
	until_true 10 "the keeper ends" no_keeper alpha
	on alpha jq -e '.quiesce.accepts == 1 and .quiesce.ms < 2500' /var/tmp/copy/ip-takeover-dump.json
	on alpha runc resume redis
	until_true 10 "redis answers" on client redis-cli -h "$address" PING
	nothing_of_ours
}
