#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# By a runtime's own commands: a checkpoint takes a copy, unless somebody has declared a takeover.

load helper
load engines

takeover() { on "$1" /src/build/ip-takeover "${@:2}"; }

# checkpoint [OPTION...]: of runc, into $shared/images.
checkpoint() {
	rm -rf "$shared/images"
	mkdir -p "$shared/images"
	on alpha runc checkpoint --image-path /shared/images --work-path /shared/images "$@" redis
}

restore() {
	on "$1" runc restore --detach --image-path /shared/images --work-path /shared/images --bundle /var/bundle redis \
		</dev/null >/dev/null 2>&1
}

prepare() {
	prepare_runtime alpha runc
	prepare_runtime beta runc
	run_container runc
	start_load 100
}

@test "nobody has armed it: the address stays, through checkpoint after checkpoint" {
	prepare
	for _ in {1..10}; do
		checkpoint --leave-running
		holds_address alpha
		not test -e "$shared/images/ip-takeover.json"
	done
	end_load
	wire_saw alpha
	nothing_left alpha
}

@test "armed: the next checkpoint moves it" {
	prepare
	takeover alpha arm --runc redis --for 60
	takeover alpha status | grep "^armed: the next dump of redis-server ($pid) within"
	checkpoint
	not holds_address alpha
	restore beta
	end_load
	wire_saw alpha beta
	is_clean alpha
	nothing_left beta
}

@test "armed once: the second checkpoint takes a copy again" {
	prepare
	takeover alpha arm --runc redis
	checkpoint --leave-running
	holds_address alpha
	says alpha "criu left it running"
	forget alpha
	checkpoint --leave-running
	until_true 10 "the copy's keeper ends" no_journal alpha
	end_load
	wire_saw alpha
}

@test "armed too long ago, or no more" {
	prepare
	takeover alpha arm --runc redis --for 1
	until_true 10 "its time is over" no_journal alpha
	checkpoint --leave-running
	until_true 10 "the copy's keeper ends" no_journal alpha
	takeover alpha clean | grep "armed-.*for a dump or restore that will not come"
	takeover alpha arm --pid "$pid"
	takeover alpha arm --pid "$pid" --off
	no_journal alpha
	checkpoint --leave-running
	until_true 10 "the copy's keeper ends" no_journal alpha
	nothing_left alpha
	end_load
	wire_saw alpha
}

@test "armed, and the checkpoint fails: the container goes on" {
	prepare
	takeover alpha arm --runc redis
	not on alpha runc checkpoint --image-path /proc/nowhere redis
	not on alpha sh -c 'mkdir /tmp/full && mount -t tmpfs -o size=64k tmpfs /tmp/full && runc checkpoint --image-path /tmp/full --work-path /shared/images redis'
	holds_address alpha
	forget alpha
	end_load
	wire_saw alpha
}

@test "who cannot be armed" {
	prepare_runtime alpha runc
	exits 1 "does not exist" takeover alpha arm --runc nobody
	exits 1 "there is no process" takeover alpha arm --pid 999999
	exits 2 "^usage" takeover alpha arm
	exits 2 "^usage" takeover alpha arm --pid 1 --runc redis
	exits 2 "^usage" takeover alpha arm --pid 1 --for 0
}
