#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Containers of runc and crun, without an engine above them.

load helper
load engines
load migrate

# The host that has the container "redis" of RUNTIME, running.
runs_on() { on "$1" "$2" state redis | jq -e '.status == "running"' >/dev/null; }

migrate_container() {
	on "$2" /src/build/ip-takeover migrate "--$1" redis --to "$3" --remote-program /src/build/ip-takeover "${@:4}" 3>&-
}

there_and_back() {
	prepare_runtime alpha "$1"
	prepare_runtime beta "$1"
	run_container "$1"
	start_load 100
	migrate_container "$1" alpha beta
	runs_on beta "$1"
	not on alpha "$1" state redis
	migrate_container "$1" beta alpha
	runs_on alpha "$1"
	not on beta "$1" state redis
	end_load
	wire_saw alpha beta alpha
	no_images
}

@test "runc: a container moves with 100 clients, and back" {
	there_and_back runc
}

@test "crun: a container moves with 100 clients, and back" {
	there_and_back crun
}
