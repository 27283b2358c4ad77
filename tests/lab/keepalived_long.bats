#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# With keepalived, each who takes part is killed where it hurts. Of `make faults`; keepalived.bats
# has a sample.

load helper
load migrate
load faults
load keepalived

@test "killed: the source's keeper before the hand-over" { killed source restore source-keeper; }
@test "killed: migrate after the withdrawal" { killed source restore migrate; }
@test "killed: migrate at the commit" { killed source commit migrate; }
@test "killed: the destination's keepers, before it restores" { killed source restore destination-keeper; }
@test "killed: criu on the destination, when it restores" { killed destination restoring destination-criu; }
@test "killed: receive, when it waits" { killed destination waiting receive; }
@test "killed: receive, when it is ready" { killed destination ready receive; }

# A race of milliseconds, that a host without a CPU to spare can lose.
there_and_back() {
	start_redis
	start_load 50 --interval-ms 10-30
	migrate alpha beta
	migrate beta alpha
	ends_at alpha via alpha beta alpha
	gamma_was_silent
	no_fault
	end_third_node
}

# 255 preempts, in keepalived: that of an address's owner.
@test "a third node of higher priority never has it" {
	keepalived_on_both 252 251
	third_node 254
	there_and_back
}

# with_third_node SIDE STEP VICTIM
with_third_node() {
	busy() {
		keepalived_on_both 252 251
		third_node 254
		start_redis
		answers_go_on
		start_load 20 --interval-ms 10-30
	}
	killed "$@"
	gamma_was_silent
	end_third_node
}

@test "a third node of higher priority; killed: criu on the destination" { with_third_node destination restoring destination-criu; }
@test "a third node of higher priority; killed: criu on the source" { with_third_node source restore source-criu; }
@test "a third node of higher priority; killed: migrate" { with_third_node source restore migrate; }
@test "a third node of higher priority; killed: receive" { with_third_node destination ready receive; }

@test "a third node of higher priority; a sync group, version 3, IPv6" {
	instances() {
		printf 'vrrp_sync_group G {\n    group {\n        VI_1\n        VI_2\n    }\n}\n'
		instance VI_1 51 $address/24 -- 'version 3'
		instance VI_2 52 $address6/64 -- 'version 3'
	}
	keepalived_on_both 252 251
	third_node 254
	there_and_back
}

# As above, a race of milliseconds. The source has committed: until somebody restores it, nobody has it, least of all gamma. Longer
# than that would wait for adverts.
fails_on_beta() {
	keepalived_on_both 252 251
	third_node 254
	start_redis
	answers_go_on
	start_load 20 --interval-ms 10-30
	on beta /src/build/ip-takeover prepare $address $address6
	dump plugin
	printf '#!/bin/sh\n[ "$CRTOOLS_SCRIPT_ACTION" != post-restore ]\n' >"$shared/fails"
	chmod +x "$shared/fails"
	not restore beta plugin --action-script /shared/fails
	says beta 'rolled back'
	sleep 5
}

@test "a third node of higher priority; by criu alone: the restore fails on beta, then alpha has it back" {
	fails_on_beta
	restore alpha plugin
	stayed journal beta
	no_fault
	gamma_was_silent
	end_third_node
}

@test "a third node of higher priority; by criu alone: the restore fails on beta, and is begun again" {
	fails_on_beta
	restore beta plugin
	moved
	no_fault
	gamma_was_silent
	end_third_node
}
