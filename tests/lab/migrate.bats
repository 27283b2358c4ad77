#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A service moves by one command, over a real ssh.

load helper

# migrate FROM TO [OPTION...]
migrate() {
	on "$1" /src/build/ip-takeover migrate --pid "$pid" --to "$2" \
		--remote-program /src/build/ip-takeover "${@:3}" 3>&-
}

@test "100 clients of redis" {
	start_redis
	start_load 100 --interval-ms 10-30
	migrate alpha beta
	moved
}
