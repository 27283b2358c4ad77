#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# keepalived is reloaded, restarted, stopped or killed in the middle of a takeover; a restore by criu
# alone fails; the hosts lose one another. Of `make faults`; keepalived.bats has a sample.
# shellcheck disable=SC2154 # owner, shared: of what is loaded

load helper
load migrate
load faults
load keepalived

dead_and_stopped() {
	signal_to KILL destination-keeper
	until_true 5 "they die" have_died beta
	stop_keepalived beta
}

@test "keepalived of alpha is reloaded after the withdrawal" { meanwhile source restore none reload alpha; all_or_nothing; no_fault; }
@test "keepalived of alpha is restarted after the withdrawal" { meanwhile source restore none restart alpha; all_or_nothing; no_fault; }

@test "keepalived of beta is stopped when it is to restore" { meanwhile source restore beta stop_keepalived beta; all_or_nothing; no_fault; }
@test "keepalived of beta is restarted when beta is ready" { meanwhile destination ready none restart beta; all_or_nothing; no_fault; }

@test "keepalived of alpha is stopped before the dump" { meanwhile source dump alpha stop_keepalived alpha; all_or_nothing; no_fault; }
@test "keepalived of beta is killed when it is to restore" { meanwhile source restore beta kill_keepalived beta; all_or_nothing; no_fault; }

@test "keepalived of alpha is killed after the withdrawal" { meanwhile source restore alpha kill_keepalived alpha; all_or_nothing; no_fault; }

@test "the keepers of beta are killed and its keepalived stopped when it is ready: the images stay" {
	meanwhile destination ready beta dead_and_stopped
	grep "Its images stay in" "$shared/migrate.err"
	no_process alpha
	no_process beta
	rm -r "$shared/images"
	on alpha sh -c 'mv /dev/shm/ip-takeover-* /shared/images'
	restore alpha plugin
	holds_address alpha
	answers_go_on
	end_load
}

@test "by criu alone: the restore fails on beta, and is begun again while its keeper looks for an owner" {
	busy
	on beta /src/build/ip-takeover prepare $address $address6
	dump plugin
	printf '#!/bin/sh\n[ "$CRTOOLS_SCRIPT_ACTION" != post-restore ]\n' >"$shared/fails"
	chmod +x "$shared/fails"
	not restore beta plugin --action-script /shared/fails
	local first
	first=$(on beta pgrep -o ip-takeover)
	restore beta plugin &
	local restoring=$!
	until_true 5 "the first keeper ends" not on beta kill -0 "$first"
	# keepalived takes seconds to bring it.
	not holds_address beta
	until_true 5 "the journal is the second one's" not says beta 'rolled back'
	wait $restoring
	moved
	[ "$(field "$shared/images/ip-takeover-restore.json" state)" = done ]
	no_fault
}

@test "by criu alone: the restore fails on alpha, which does not get it without the service" {
	busy
	on beta /src/build/ip-takeover prepare $address $address6
	dump plugin
	stop_keepalived beta
	on beta /src/build/ip-takeover rollback "$(id_on beta)"
	printf '#!/bin/sh\n[ "$CRTOOLS_SCRIPT_ACTION" != post-restore ]\n' >"$shared/fails"
	chmod +x "$shared/fails"
	not restore alpha plugin --action-script /shared/fails
	says alpha 'rolled back'
	until_true 15 "the keeper of the dump ends" not on alpha sh -c 'pgrep -f "^ip-takeover.keeper.source"'
	until_true 1 "alpha is held down" track_file_is alpha 1
	not holds_address alpha
	restore alpha plugin
	stayed journal beta
	track_file_is alpha 0
}

@test "by criu alone: a failing post-dump script, and beta gives it back" {
	busy
	on beta /src/build/ip-takeover prepare $address $address6
	printf '#!/bin/sh\n[ "$CRTOOLS_SCRIPT_ACTION" != post-dump ]\n' >"$shared/fails"
	chmod +x "$shared/fails"
	not dump plugin --action-script /shared/fails
	until_true 10 "alpha has it again" holds_address alpha
	says beta 'the source has taken it back'
	stayed journal alpha beta
	no_fault
}

@test "killed: the keeper of a dump by criu alone; a person rolls back" {
	busy
	on beta /src/build/ip-takeover prepare $address $address6
	printf '#!/bin/sh\n[ "$CRTOOLS_SCRIPT_ACTION" != post-dump ] || { pkill -KILL -f "^ip-takeover.keeper"; exit 1; }\n' >"$shared/kills"
	chmod +x "$shared/kills"
	not dump plugin --action-script /shared/kills
	until_true 10 "beta is master" holds_address beta
	forget alpha
	stayed journal beta
	no_fault
}

@test "nothing passes between the hosts before beta is ready, for a while" {
	busy
	stopped_at source restore
	cut
	go_on_from migrate
	go_on
	over 90
	cat "$shared/migrate.err"
	heal
	all_or_nothing
	no_fault
}

@test "an address of the same instance that another service uses" {
	instances() { instance VI_1 51 $address/24 192.0.2.101/24; }
	keepalived_on_both
	start_redis
	on alpha redis-server --bind 192.0.2.101 --port 6379 --daemonize yes --dir /tmp --logfile /tmp/other.log >/dev/null
	until_true 10 "the other redis listens" on client redis-cli -h 192.0.2.101 -t 2 ping
	start_load 20 --interval-ms 10-30
	exits 1 "192.0.2.101 would leave with it" migrate alpha beta
	service=none
	holds_address alpha
	end_load
	load=
	no_fault
}

@test "killed: criu on the source after the withdrawal" { killed source restore source-criu; }
@test "killed: the destination's keepers, when it is ready" { killed destination ready destination-keeper; }

@test "prepared, and ended by hand" {
	busy
	on beta /src/build/ip-takeover prepare $address
	on beta /src/build/ip-takeover rollback "$(id_on beta)"
	stayed journal beta
	no_fault
}
