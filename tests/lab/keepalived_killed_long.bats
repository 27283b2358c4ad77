#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A keepalived that is killed leaves its addresses; one that starts removes them, and is a backup
# for some seconds. The other host is to get them only when the service is there. Of `make faults`.
# shellcheck disable=SC2154,SC2034 # owner, shared: of what is loaded

load helper
load migrate
load faults
load keepalived

alpha_first

# Longer than alpha would wait for adverts, if it were a backup already.
down() { sleep 5; }

ends_on_beta() {
	all_or_nothing
	[ "$owner" = beta ]
	no_fault
	alpha_never_had_it_again
}

@test "keepalived of beta is killed when beta is ready, and runs again some seconds later" {
	meanwhile destination ready none kill_keepalived beta
	down
	not holds_address alpha
	start_keepalived beta
	ends_on_beta
}

@test "keepalived of beta is killed when beta is ready, and started again at once" {
	meanwhile destination ready none restarted beta
	all_or_nothing
	no_fault
}

@test "keepalived of beta is killed when the service runs there, and runs again some seconds later" {
	meanwhile destination running none kill_keepalived beta
	down
	not holds_address alpha
	start_keepalived beta
	ends_on_beta
}

@test "keepalived of beta is killed when the service runs there, and started again at once" {
	meanwhile destination running none restarted beta
	ends_on_beta
}

@test "keepalived of alpha is killed at the commit, and started again at once" {
	meanwhile source commit none restarted alpha
	ends_on_beta
}

@test "keepalived of alpha is killed when it has moved, and started again at once" {
	meanwhile source committed none restarted alpha
	ends_on_beta
}

short_hold() {
	local host
	for host in alpha beta; do on $host sh -c 'echo "hold_seconds = 5;" >>/etc/criu/ip-takeover.conf'; done
}

# killed_for_good: beta has service and address, and no keepalived that says so.
killed_for_good() {
	before_it_moves() { short_hold; }
	meanwhile destination ready none kill_keepalived beta
	until_true 15 "alpha says what is wrong" says alpha "it has not said that its keepalived is MASTER"
	until_true 10 "the keepers of beta end" no_keeper beta
	down
	not holds_address alpha
	track_file_is alpha 1
	[ "$(owner)" = beta ]
	answers_go_on
}

@test "keepalived of beta is killed for good: alpha stays in FAULT, until beta's runs again" {
	killed_for_good
	start_keepalived beta
	until_true 20 "beta is master" track_file_is alpha 0
	ends_on_beta
}

@test "keepalived of beta is killed for good: once beta is gone, alpha may have it" {
	killed_for_good
	end_load || :
	load=
	on beta ip link set eth0 down
	until_true 20 "alpha is master" holds_address alpha
	until_true 10 "the keepers of alpha end" no_keeper alpha
	no_journal alpha
}
