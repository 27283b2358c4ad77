#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Several trees on an address that keepalived moves.

load helper
load migrate
load faults
load keepalived
load nginx
load trees

answers_go_on() { until_true 10 "redis answers" on client redis-cli -h "$address" -t 2 ping; }

@test "there and back" {
	keepalived_on_both
	start_both
	start_load 20 --interval-ms 10-30
	migrate_trees alpha beta
	all_on beta
	migrate_trees beta alpha
	all_on alpha
	ends_at alpha via alpha beta alpha
	no_fault
}

@test "the second tree cannot be restored: keepalived brings the address back" {
	keepalived_on_both
	start_both
	start_load 20 --interval-ms 10-30
	stopped_at source restore
	on beta sh -c "echo $((nginx - 1)) >/proc/sys/kernel/ns_last_pid; setsid sleep 60 </dev/null >/dev/null 2>&1 &"
	go_on_from migrate
	over
	cat "$shared/migrate.err"
	all_or_nothing
	all_on alpha
	no_fault
}
