#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# ip-takeover migrate of a runc or crun container, with each who takes part killed at each step: it
# has moved completely or not at all, its runtime knows it where it runs and nowhere else. As in
# migrate_faults.bats FAULTS=all tests at all steps, else at the commit and where the destination is ready for it.
# RUNTIME=crun: by crun.

load helper
load engines
load faults
load runc

runtime=${RUNTIME:-runc}
[ "${FAULTS:-}" = all ] || STEPS='commit ready'

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

# Between the gate and its end criu looks for what was declared.
@test "migrate killed while the runtime's criu dumps: no copy, no end" {
	busy
	# shellcheck disable=SC2016 # that shell expands
	on alpha timeout 60 sh -c 'until ls /run/ip-takeover/armed-* >/dev/null 2>&1; do :; done; pkill -KILL -f "^/src/build/ip-takeover.migrate"' 3>&- &
	start_migrate "" ""
	over 60
	all_or_nothing
	[ "$owner" = alpha ]
}

@test "receive killed as soon as the runtime restores: the source has it, alone" {
	busy
	# shellcheck disable=SC2016
	on beta timeout 60 sh -c 'until ls /run/ip-takeover/armed-* >/dev/null 2>&1; do :; done; pkill -KILL -f "^/src/build/ip-takeover.receive"' 3>&- &
	start_migrate "" ""
	over 60
	cat "$shared/migrate.err"
	all_or_nothing
	[ "$owner" = alpha ]
}

# A record in the name of a process that has another's PID.
@test "a mover's record whose PID is used again: refused, once" {
	local started
	busy
	started=$(on alpha sh -c 'cut -d" " -f22 /proc/$1/stat' sh "$pid")
	on alpha sh -c 'mkdir -p /run/ip-takeover; echo "1 1 999999999 /run/ip-takeover/criu-1-1.sock -" >"/run/ip-takeover/armed-$1-$2"' sh "$pid" "$started"
	on alpha mkdir /tmp/copy
	not on alpha runc checkpoint --image-path /tmp/copy --work-path /tmp/copy redis
	on alpha grep 'the keeper is gone' /tmp/copy/dump.log
	on alpha /src/build/ip-takeover clean | grep "armed-.*for a dump or restore that will not come"
	on alpha rm -r /tmp/copy
	start_migrate "" ""
	over
	all_or_nothing
	[ "$owner" = beta ]
}

# What the kernel ends for want of memory has ended; nobody's copy of it comes to life.
# init_killed STEP SECONDS
init_killed() {
	busy
	stopped_at source "$1"
	on alpha kill -KILL "$pid"
	go_on_from migrate
	over "$2"
	cat "$shared/migrate.err"
}

@test "the container's process killed when it is dumped, before the commit: it moves all the same" {
	init_killed restore 60
	all_or_nothing
	[ "$owner" = beta ]
}

@test "the container's process killed before the dump: nothing is left" {
	init_killed dump 10
	exits 0 'has ended: it has ended meanwhile' cat "$shared/migrate.err"
	for host in alpha beta; do
		until_true 20 "the keepers of $host end" no_keeper "$host"
		until_true 10 "no images are left on $host" no_images "$host"
		nothing_left "$host"
	done
	until_true 10 "beta does not have it" no_container beta
	no_process beta
	no_process alpha
}
