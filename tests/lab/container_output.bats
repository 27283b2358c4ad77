#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Where a container of runc and crun writes to, when that was a pipe: nobody reads it on the
# other host.

load helper
load engines
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
