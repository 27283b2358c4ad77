#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# ip-takeover migrate, with each who takes part killed at each step: it has moved completely or
# not at all. The steps are those that the command names; FAULTS=all tests at all of them, else
# at those around the commit.

load helper
load faults

eval "lab_$(declare -f teardown)"
teardown() {
	go_on
	lab_teardown
}

@test "migrate killed" { each_step migrate; }
@test "ssh killed" { each_step ssh; }
@test "the source's criu killed" { each_step source-criu; }
@test "the source's criu-action killed" { each_step source-action; }
@test "the source's keeper killed" { each_step source-keeper; }
@test "receive killed" { each_step receive; }
@test "the destination's criu killed" { each_step destination-criu; }
@test "the destination's criu-action killed" { each_step destination-action; }
@test "the destination's keeper killed" { each_step destination-keeper; }
