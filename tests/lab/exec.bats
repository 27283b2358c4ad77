#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A program of the user's moves the address: here a route, which is the client's own, which BIRD
# announces, or FRR; or a floating address behind an HTTP API.

load helper
load migrate
load exec

@test "100 writing clients, by criu alone, and back" {
	route_program
	configure /shared/move
	claimed alpha
	start_redis
	start_load 100 --interval-ms 10-30
	dump plugin
	restore beta scripts
	until_true 15 "the keepers end" no_keeper beta
	owner_is beta
	[ "$(program_took dump withdraw)" -lt 5000 ]
	[ "$(program_took restore claim)" -lt 5000 ]
	rm -r "$shared/images"
	mkdir "$shared/images"
	on beta criu dump "${common[@]}" -t "$pid" -o dump.log --libdir /src/build/plugin 3>&-
	restore alpha plugin
	ends_at alpha via alpha beta alpha
}

@test "100 writing clients, by migrate, there and back, twice" {
	route_program
	configure /shared/move
	claimed alpha
	start_redis
	start_load 100 --interval-ms 10-30
	for _ in 1 2; do
		migrate alpha beta
		owner_is beta
		migrate beta alpha
	done
	ends_at alpha via alpha beta alpha beta alpha
	no_images
}
