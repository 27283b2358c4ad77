#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Copies of a service that goes on.

load helper
load checkpoint

answered() { [ "$(redis INFO stats | tr -d '\r' | sed -n 's/^total_commands_processed://p')" -gt "$1" ]; }

busy() {
	start_redis
	answers_go_on
	start_load "${1:-20}" --interval-ms 10-30
}

# The service is where it was, nothing of ours is left, and the next one is taken.
goes_on() {
	until_true 10 "the keepers end" no_keeper alpha
	no_journal alpha
	until_true 10 "no half checkpoint is left" no_partial alpha
	checkpoint
	no_partial alpha
	stayed
	no_announcement
}

@test "100 writing clients, and ten checkpoints" {
	local i
	busy 100
	watch_addresses
	for i in 1 2 3 4 5 6 7 8 9 10; do
		checkpoint --json >>"$shared/said"
		until_true 10 "each has asked again" answered $((i * 500))
	done
	cat "$shared/said"
	[ "$(jq -s 'map(select(.connections >= 100 and .bytes > 1000000 and .files > 5)) | length' "$shared/said")" = 10 ]
	# The pause is in the record, and is one.
	[ "$(jq -s 'map(select(.pause_ms > 0 and .pause_ms < 2000 and .pause_ms < .duration_ms)) | length' "$shared/said")" = 10 ]
	[ "$(on alpha $program checkpoints --json | jq -c '[.[].host]')" = '["alpha","alpha","alpha"]' ]
	stayed
	no_announcement
}

@test "a report of its pause" {
	local dir
	busy
	checkpoint
	dir=$(on alpha $program checkpoints --json | jq -er '.[0].path')
	on alpha $program report "$dir"
	exits 0 'frozen [0-9.]* ms: criu' on alpha $program report "$dir"
	[ "$(on alpha $program report --json "$dir" | jq -c '[.phases[].what]')" = '["guard, quiesce","criu seizes","criu dumps","criu thaws"]' ]
	stayed
}

@test "so many are kept" {
	local names
	start_redis
	for _ in 1 2 3 4 5; do checkpoint --quiet --keep 4; done
	names=$(checkpoints alpha | sort -V)
	[ "$(wc -l <<<"$names")" = 4 ]
	checkpoint --quiet --keep 2
	[ "$(checkpoints alpha | sort -V | head -n 1)" = "$(tail -n 1 <<<"$names")" ]
	[ "$(checkpoints alpha | wc -l)" = 2 ]
	[ "$(on alpha $program checkpoints | wc -l)" = 2 ]
	no_partial alpha
}

# killed STAGE WHO: while criu stands at STAGE.
killed() {
	busy
	checkpoint
	watch_addresses
	stop_at "$1"
	start_checkpoint
	case $2 in
	criu) on alpha pkill -9 -x criu ;;
	keeper) on alpha pkill -9 -f '^ip-takeover keeper' ;;
	worker) on alpha pkill -9 -x ip-takeover-wrk ;;
	command) on alpha pkill -9 -f '^/src/build/ip-takeover checkpoint' ;;
	esac
	go_on
	if [ "$2" = worker ]; then wait "$taking"; else not wait "$taking"; fi
	cat "$shared/checkpoint.err"
	goes_on
}

@test "criu killed before the freeze" { killed pre-dump criu; }
@test "criu killed in the freeze" { killed post-dump criu; }
@test "the keeper killed before the freeze" { killed pre-dump keeper; }
@test "the keeper killed in the freeze" { killed post-dump keeper; }
@test "the worker killed in the freeze" { killed post-dump worker; }
@test "the command killed before the freeze" { killed pre-dump command; }
@test "the command killed in the freeze" { killed post-dump command; }

# A half one has no name that anybody would take.
@test "the command killed before its checkpoint is kept" {
	local before taking
	busy
	checkpoint
	before=$(checkpoints alpha)
	"$top/scripts/lab" exec alpha env IP_TAKEOVER_STOP_AT=checkpoint-dumped $program checkpoint --pid "$pid" 3>&- &
	taking=$!
	until_true 10 "it has dumped" on alpha pgrep -r T -f '^/src/build/ip-takeover checkpoint'
	not no_partial alpha
	[ "$(checkpoints alpha)" = "$before" ]
	on alpha pkill -9 -f '^/src/build/ip-takeover checkpoint'
	kill -CONT "$taking" || :
	not wait "$taking"
	until_true 5 "its half goes with it" no_partial alpha
	[ "$(checkpoints alpha)" = "$before" ]
	goes_on
}

@test "what a crash of the host has left half is removed, and what is in use is not" {
	start_redis
	checkpoint
	on alpha sh -c "cd $store/redis-server && cp -r 2* .partial-crashed && cp -r 2* .partial-in-use"
	on alpha sh -c "setsid flock $store/redis-server/.partial-in-use sleep 60 </dev/null >/dev/null 2>&1 & echo \$! >/run/flock.pid"
	until_true 5 "it is locked" not on alpha flock -n $store/redis-server/.partial-in-use true
	checkpoint
	not on alpha test -e $store/redis-server/.partial-crashed
	on alpha test -e $store/redis-server/.partial-in-use
	on alpha pkill -x sleep
	until_true 5 "it is free" on alpha flock -n $store/redis-server/.partial-in-use true
	checkpoint
	no_partial alpha
}

@test "clean leaves a keeper that waits for the guard of another takeover" {
	start_redis
	on alpha sh -c "mkdir -p /run/ip-takeover; setsid flock -s /run/ip-takeover sleep 60 </dev/null >/dev/null 2>&1 &"
	until_true 5 "it is locked" not on alpha flock -n /run/ip-takeover true
	checkpoint &
	local taking=$!
	until_true 10 "its keeper waits" says alpha 'stays until no other takeover holds packets'
	on alpha $program clean
	says alpha 'stays until no other takeover holds packets'
	on alpha pkill -x sleep
	wait $taking
	goes_on
}

@test "one at a time" {
	busy
	checkpoint
	stop_at post-dump
	start_checkpoint
	exits 1 'another checkpoint of it is being taken' checkpoint
	exits 1 'a checkpoint is being taken' revive alpha
	says alpha 'a checkpoint is taken; the service stays here'
	go_on
	wait "$taking"
	goes_on
}

@test "no dump of the service while a checkpoint is taken" {
	busy
	stop_at post-dump
	start_checkpoint
	not dump plugin
	grep -q 'of the same address is prepared' "$shared/images/dump.log"
	go_on
	wait "$taking"
	goes_on
}

@test "the disk is full" {
	local before
	busy
	on alpha mkdir -p $store/redis-server
	on alpha mount -t tmpfs -o size=5m,mode=700 tmpfs $store/redis-server
	checkpoint
	before=$(checkpoints alpha)
	exits 1 'goes on without a new checkpoint' checkpoint
	[ "$(checkpoints alpha)" = "$before" ]
	until_true 10 "no half checkpoint is left" no_partial alpha
	on alpha mount -o remount,size=20m $store/redis-server
	goes_on
}

@test "no service address, no process, no room for doubt" {
	exits 1 'No such process' on alpha $program checkpoint --pid 999
	on alpha sh -c 'setsid sleep 60 </dev/null >/dev/null 2>&1 & echo $! >/run/sleep.pid'
	pid=$(on alpha cat /run/sleep.pid)
	exits 1 'no configured service address' checkpoint
	service=sleep
	no_partial alpha
	on alpha kill "$pid"
	exits 2 'pid PID is missing' on alpha $program checkpoint
	exits 2 'expected 1 to 1000' checkpoint --keep 0
	exits 2 'cannot be given to criu' checkpoint -- --leave-stopped
	exits 2 'by its whole path' checkpoint --dir here
}

# The keeper that has brought it still announces it.
@test "a checkpoint at once after a move, there" {
	busy
	dump plugin
	restore beta plugin
	on beta $program checkpoint --pid "$pid"
	[ "$(checkpoints beta | wc -l)" = 1 ]
	moved
	# Each of the schedule (announce.h).
	[ "$(on client tcpdump -nner /shared/capture "ether src $(mac_of beta) and arp[14:4] = arp[24:4]" 2>/dev/null | grep -c "ff:ff:ff:ff:ff:ff.*$address")" = 6 ]
}

@test "a move after checkpoints" {
	busy
	checkpoint
	dump plugin
	restore beta plugin
	moved
	# So the wire would have shown it.
	not no_announcement
}
