#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# With keepalived, each who takes part is killed where it hurts. Of `make faults`; keepalived.bats
# has a sample.

load helper
load migrate
load faults
load keepalived

# In front of what the helper shows.
eval "lab_$(declare -f teardown)"
teardown() {
	go_on
	[ -n "$BATS_TEST_COMPLETED" ] || show_keepalived
	lab_teardown
}

@test "killed: the source's keeper before the hand-over" { killed source restore source-keeper; }
@test "killed: migrate after the withdrawal" { killed source restore migrate; }
@test "killed: migrate at the commit" { killed source commit migrate; }
@test "killed: the destination's keepers, before it restores" { killed source restore destination-keeper; }
@test "killed: criu on the destination, when it restores" { killed destination restoring destination-criu; }
@test "killed: receive, when it waits" { killed destination waiting receive; }
@test "killed: receive, when it is ready" { killed destination ready receive; }
