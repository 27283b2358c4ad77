#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What is left open by what moves: where a container of runc and crun writes to, when that was a pipe,
# which nobody reads on the other host; and what an engine, which lives on, has of ours.

load helper
load engines
load podman
load migrate
# shellcheck disable=SC2154 # variables of helper

# As run_container, with somebody who reads what it says.
run_container_into_pipe() {
	on alpha sh -c "cd /var/bundle && (setsid $1 run --detach --pid-file /run/redis.pid redis </dev/null 2>&1 |
		setsid cat >/dev/null 2>&1) >/dev/null 2>&1 &"
	until_true 10 "redis answers" on client redis-cli -h "$address" PING
	pid=$(on alpha cat /run/redis.pid)
	on alpha readlink "/proc/$pid/fd/1" | grep '^pipe:'
}

output_moves() {
	local there
	prepare_runtime alpha "$1"
	prepare_runtime beta "$1"
	run_container_into_pipe "$1"
	on alpha /src/build/ip-takeover migrate "--$1" redis --to beta --remote-program /src/build/ip-takeover 3>&-
	there=$(on beta "$1" state redis | jq .pid)
	# No file that grows in memory, with no name by which it could be found.
	[ "$(on beta readlink "/proc/$there/fd/1")" = /dev/null ]
	[ "$(on beta readlink "/proc/$there/fd/2")" = /dev/null ]
	no_images
}

@test "runc: what a container says into a pipe goes nowhere on the other host" {
	output_moves runc
}

@test "crun: what a container says into a pipe goes nowhere on the other host" {
	output_moves crun
}

# held_open HOST: by processes other than keepers, which end.
held_open() {
	on "$1" sh -c 'for p in /proc/[0-9]*; do case $(cat $p/comm) in ip-takeover*) ;; *) ls -l $p/fd ;; esac; done 2>/dev/null | grep ip-takeover'
}

@test "podman: its monitor holds nothing of ours open" {
	prepare_podman alpha crun
	prepare_podman beta crun
	run_podman alpha --network host
	migrate_podman alpha beta
	container_is beta running
	not held_open beta
	not held_open alpha
}

@test "docker: its shim holds nothing of ours open" {
	local host
	for host in alpha beta; do
		on "$host" sh -c "mkdir -p /etc/criu && printf 'tcp-established\nnetwork-lock skip\nlibdir /src/build/plugin\n' >/etc/criu/runc.conf"
		start_docker "$host"
	done
	on alpha docker run --detach --name r1 --network host $image redis-server --bind "$address" --protected-mode no --save ''
	until_true 10 "redis answers" on client redis-cli -h "$address" PING
	on alpha /src/build/ip-takeover migrate --docker r1 --to beta --remote-program /src/build/ip-takeover 3>&-
	not held_open beta
	not held_open alpha
}
