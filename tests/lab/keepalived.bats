#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The addresses are keepalived's: a takeover goes through its track file, and VRRP.

load helper
load migrate
load faults
load keepalived

# In front of what the helper shows.
eval "lab_$(declare -f teardown)"
teardown() {
	[ -n "$BATS_TEST_COMPLETED" ] || show_keepalived
	lab_teardown
}

@test "redis with 100 writing clients goes and comes back, by migrate" {
	keepalived_on_both
	start_redis
	start_load 100 --interval-ms 10-30
	for _ in 1 2 3; do
		migrate alpha beta
		migrate beta alpha
	done
	ends_at alpha via alpha beta alpha beta alpha beta alpha
	no_fault
}
