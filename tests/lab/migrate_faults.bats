#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# ip-takeover migrate, with each who takes part killed at each step: it has moved completely or
# not at all. The steps are those that the command names; FAULTS=all tests at all of them, else
# at the commit, where the destination is ready for it, and at the next.

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

is_halted() { [[ $(on alpha ps -o stat= -p "$pid") == T* ]]; }

@test "the source's criu killed when its keeper has no CPU: the service waits for it" {
	local worker
	busy
	start_migrate restore ""
	until_true 20 "it stops" is_in_state migrate T
	worker=$(on alpha pgrep -x ip-takeover-wrk)
	on alpha kill -STOP "$worker"
	signal_to KILL source-criu
	until_true 5 "criu dies" have_died alpha
	until_true 5 "the service is stopped" is_halted
	on alpha kill -CONT "$worker"
	signal_to CONT migrate
	kill -CONT "$mover"
	until_true 60 "migrate ends" has_gone "$mover"
	all_or_nothing
	[ "$owner" = alpha ]
	not is_halted
}

@test "ssh frozen inside the freeze: rolled back in time" {
	busy
	stopped_at source restore
	signal_to STOP ssh
	go_on_from migrate
	over 30
	exits 0 'the other host does not answer' cat "$shared/migrate.err"
	all_or_nothing
	[ "$owner" = alpha ]
}

@test "another owner of the address appears after the preflight" {
	busy
	stopped_at source restore
	on client python3 /src/tests/services/answer_arp.py $address 02:00:00:00:00:77 >"$shared/arp.out" 3>&- &
	until_true 5 "it listens" grep -q listens "$shared/arp.out"
	go_on_from migrate
	over
	on client pkill -f answer_arp.py
	exits 0 'is in use by 02:00:00:00:00:77' cat "$shared/migrate.err"
	on client ip neigh flush dev eth0
	until_true 20 "alpha has it, alone" one_copy
	[ "$(owner)" = alpha ]
	end_load
}

@test "a PID that is taken on the destination after the preflight" {
	busy
	stopped_at source restore
	on beta sh -c "echo $((pid - 1)) >/proc/sys/kernel/ns_last_pid; setsid sleep 60 </dev/null >/dev/null 2>&1 & echo \$!" >"$shared/taken"
	[ "$(cat "$shared/taken")" = "$pid" ]
	go_on_from migrate
	over
	cat "$shared/migrate.err"
	all_or_nothing
	[ "$owner" = alpha ]
}

# taken_by ADDRESS
taken_by() {
	busy
	stopped_at source restore
	on beta sh -c "setsid python3 /src/tests/services/listen.py $1 6379 </dev/null >/dev/null 2>&1 &"
	until_true 5 "it listens on beta" on beta sh -c 'ss -Hltn "sport = 6379" | grep -q .'
	go_on_from migrate
	over
	cat "$shared/migrate.err"
	exits 0 'was not moved, and runs here: .*TCP port 6379 is taken by python3 (pid' cat "$shared/migrate.err"
	all_or_nothing
	[ "$owner" = alpha ]
}

@test "a port that is taken on the destination after the preflight" { taken_by 0.0.0.0; }
@test "the same on the address itself" {
	on beta sh -c "echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind"
	taken_by $address
}

disk_full() {
	busy
	stopped_at source dump
	on "$1" sh -c 'used=$(df -k --output=used /dev/shm | tail -n 1)
		mount -o remount,size=$((used + 16))k /dev/shm'
	go_on_from migrate
	over
	cat "$shared/migrate.err"
	grep -q 'was not moved' "$shared/migrate.err"
	on "$1" mount -o remount,size=1g /dev/shm
	all_or_nothing
	[ "$owner" = alpha ]
}

@test "disk full on the source" { disk_full alpha; }
@test "disk full on the destination" { disk_full beta; }

@test "rolled back by hand on the destination, and criu killed before it can end its tasks" {
	busy
	stopped_at source commit
	signal_to STOP destination-criu
	on beta /src/build/ip-takeover rollback "$(id_on beta)"
	signal_to KILL destination-criu
	until_true 5 "it dies" have_died beta
	until_true 5 "no half-restored task is left" no_process beta
	go_on_from migrate
	over
	all_or_nothing
}
