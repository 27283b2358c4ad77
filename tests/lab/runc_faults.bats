#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# ip-takeover migrate of a runc or crun container, with each who takes part killed at each step: it
# has moved completely or not at all, its runtime knows it where it runs and nowhere else. As in
# migrate_faults.bats FAULTS=all tests at all steps, else at those around the commit.
# RUNTIME=crun: by crun.

load helper
load engines
load faults
load runc

runtime=${RUNTIME:-runc}

eval "lab_$(declare -f teardown)"
teardown() {
	go_on
	lab_teardown
}

eval "any_$(declare -f all_or_nothing)"
all_or_nothing() {
	any_all_or_nothing
	container_is_on "$owner"
}

@test "migrate killed" { each_step migrate; }
@test "ssh killed" { each_step ssh; }
@test "the source's runtime killed" { each_step source-runtime; }
@test "the source's criu killed" { each_step source-criu; }
@test "the source's criu-action killed" { each_step source-action; }
@test "the source's keeper killed" { each_step source-keeper; }
@test "the source's keeper's worker killed" { each_step source-worker; }
@test "receive killed" { each_step receive; }
@test "the destination's runtime killed" { each_step destination-runtime; }
@test "the destination's criu killed" { each_step destination-criu; }
@test "the destination's criu-action killed" { each_step destination-action; }
@test "the destination's keeper killed" { each_step destination-keeper; }
@test "the destination's keeper's worker killed" { each_step destination-worker; }
