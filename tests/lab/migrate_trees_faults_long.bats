#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Several trees, with each who takes part killed at each step: all have moved, or none has.
# Of `make faults`. FAULTS=all tests at all steps, else at the commit, and where the destination is
# ready for it.

load helper
load faults
load nginx
load trees

eval "lab_$(declare -f teardown)"
teardown() {
	go_on
	lab_teardown
}

[ "${FAULTS:-}" = all ] || STEPS='commit ready'
mebibytes=16
answers_go_on() { until_true 10 "redis answers" on client redis-cli -h $address -t 2 ping; }

busy() {
	start_both
	start_download --rate $((4 << 20))
	download=$load
	start_load 20 --interval-ms 10-30
}

eval "any_$(declare -f all_or_nothing)"
all_or_nothing() {
	local clients=$load
	# Also ended by the end of the load.
	load=$download
	end_download
	load=$clients
	any_all_or_nothing
	all_on "$owner"
}

@test "migrate killed" { each_step migrate; }
@test "the source's keeper killed" { each_step source-keeper; }
@test "the first tree's criu killed on the source" { each_step source-leader; }
@test "the second tree's criu killed on the source" { each_step source-member; }
@test "receive killed" { each_step receive; }
@test "the destination's keeper killed" { each_step destination-keeper; }
@test "the first tree's criu killed on the destination" { each_step destination-leader; }
@test "the second tree's criu killed on the destination" { each_step destination-member; }

# half_there ROOT WHO: its criu is killed as soon as the root of its tree is on beta.
half_there() {
	local words
	busy
	read -ra words <<<"${who[$2]}"
	# shellcheck disable=SC2016 # that shell expands
	on beta timeout 30 sh -c 'root=$1; shift
		until kill -0 "$root" 2>/dev/null; do :; done; pkill -KILL "$@"' sh "${!1}" "${words[@]:1}" 3>&- &
	local killer=$!
	start_migrate "" ""
	over
	wait $killer
	cat "$shared/migrate.err"
	all_or_nothing
}

@test "the first tree's criu killed when the tree is half there" { half_there redis destination-leader; }
@test "the second tree's criu killed when the tree is half there" { half_there nginx destination-member; }

@test "the second tree's criu killed on the destination when the keeper has no worker" {
	busy
	stopped_at source commit
	on beta pkill -STOP -of '^ip-takeover.keeper.destination'
	on beta pkill -KILL -x ip-takeover-wrk
	signal_to KILL destination-member
	until_true 5 "it dies" have_died beta
	on beta pkill -CONT -of '^ip-takeover.keeper.destination'
	go_on_from migrate
	over
	all_or_nothing
}

# failed_there WHAT: it has failed on beta, and nobody has noticed.
failed_there() {
	go_on_from migrate
	over
	exits 0 "$1" cat "$shared/migrate.err"
	all_or_nothing
	[ "$owner" = alpha ]
}

@test "a file of the second tree is missing on the destination after the preflight" {
	local lib
	busy
	stopped_at source restore
	lib=$(on alpha sh -c "awk '/libpcre/ { print \$6 }' /proc/$nginx/maps" | head -n 1)
	on beta rm "$lib"
	failed_there "was not moved, and runs here: process $nginx: "
}

# taken PID: on beta, by another process.
taken() {
	on beta sh -c "echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid; setsid sleep 60 </dev/null >/dev/null 2>&1 & echo \$!" >"$shared/taken"
	[ "$(cat "$shared/taken")" = "$1" ]
}

@test "a PID of the second tree is taken on the destination after the preflight" {
	busy
	stopped_at source restore
	taken "$nginx"
	failed_there 'was not moved, and runs here: '
}

@test "a PID of the first tree is taken on the destination after the preflight" {
	busy
	stopped_at source restore
	taken "$redis"
	failed_there 'was not moved, and runs here: '
}

@test "the second tree ends after the preflight" {
	start_both
	start_load 20 --interval-ms 10-30
	stopped_at source dump
	on alpha kill "$nginx"
	until_true 5 "nginx ends" not on alpha pgrep -x nginx
	go_on_from migrate
	over
	exits 0 "was not moved; process $nginx has ended: " cat "$shared/migrate.err"
	service=redis-server
	any_all_or_nothing
	[ "$owner" = alpha ]
}

in_doubt() { until_true 15 "beta is in doubt" says beta 'in doubt'; }

@test "the link breaks after the commit: all wait, frozen, and go on when it is back" {
	busy
	stopped_at source committed
	cut
	go_on_from migrate
	in_doubt
	no_process alpha
	[ -z "$(who_has)" ]
	heal
	over
	all_or_nothing
	[ "$owner" = beta ]
}

@test "the link breaks before the commit: all go on where they were" {
	busy
	stopped_at destination ready
	cut
	go_on_from receive
	over 40
	exits 0 'was not moved' cat "$shared/migrate.err"
	until_true 10 "alpha answers" answers_go_on
	in_doubt
	heal
	all_or_nothing
	[ "$owner" = alpha ]
}
