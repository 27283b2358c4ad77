#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Programs that are not what they should be: one owner, the service goes on, and a person is told
# which program failed at what.

load helper
load migrate
load exec
load checkpoint

move=/usr/local/sbin/move

# begin [SECONDS]: alpha has it, with busy clients.
begin() {
	local host
	route_program
	for host in alpha beta; do on "$host" install -m 755 /shared/move $move; done
	configure $move "$@"
	claimed alpha
	start_redis
	start_load 20 --interval-ms 10-30
}

# faulty HOST: what the shell text of stdin does before HOST's program does its own.
faulty() {
	{ echo '#!/bin/sh'; cat; echo 'exec /shared/move "$@"'; } >"$shared/faulty"
	on "$1" install -m 755 /shared/faulty $move
}

# stays_after TEXT [HOST...]: migrate says why; the HOSTs' journals tell it, too.
stays_after() {
	local text=$1
	shift
	exits 1 "$text" migrate alpha beta
	stayed journal "$@"
	no_images
}

@test "missing on the source" {
	begin
	on alpha rm $move
	exits 1 "$move: No such file or directory; install it there" on alpha /src/build/ip-takeover check
	exits 1 "$move: No such file or directory; install it there, or correct the configuration" migrate alpha beta
	route_program
	on alpha install -m 755 /shared/move $move
	stayed
}

@test "missing on the destination" {
	begin
	on beta rm $move
	exits 1 "$move: No such file or directory; install it there" on beta /src/build/ip-takeover check
	stays_after "$move: No such file or directory; install it there"
}

@test "not executable on the destination" {
	begin
	on beta chmod 644 $move
	stays_after "$move is not executable; chmod +x"
}

@test "writable by others on the source" {
	begin
	on alpha chmod 757 $move
	stays_after "$move may be written by others than its owner; chmod go-w"
}

@test "of another user on the destination" {
	begin
	on beta chown nobody $move
	stays_after "$move belongs to another than root; chown root"
}

@test "by criu alone, missing on the destination" {
	begin
	dump plugin
	on beta rm $move
	not restore beta plugin
	grep -q "$move: No such file or directory; install it there" "$shared/images/restore.log"
	is_clean beta
	restore alpha plugin
	stayed
}

@test "by criu alone, missing on the source: nothing is frozen" {
	begin
	on alpha rm $move
	not dump plugin
	grep -q "$move: No such file or directory; install it there" "$shared/images/dump.log"
	not grep -q 'Seizing task\|Seized task' "$shared/images/dump.log"
	stayed
}

@test "the destination's claim takes too long" {
	begin 1
	faulty beta <<<'[ $1 != claim ] || sleep 60'
	stays_after "$move claim $address took longer than 1 s (seconds) and was killed" alpha beta
	not on beta pgrep -f 'sleep 60'
}

@test "the source's withdraw takes too long, in a child that ignores signals" {
	begin 1
	faulty alpha <<<'[ $1 != withdraw ] || { trap "" TERM HUP INT; sleep 61; }'
	stays_after "$move withdraw $address took longer than 1 s (seconds) and was killed" alpha
	not on alpha pgrep -f 'sleep 61'
}

@test "the destination's claim fails" {
	begin
	faulty beta <<<'[ $1 != claim ] || { echo no such floating address; exit 3; }'
	stays_after "$move claim $address failed (exit status 3): no such floating address; see" alpha beta
}

@test "the destination's claim fails half-way, and so does its withdraw" {
	begin
	faulty beta <<<'[ $1 != claim ] || { /shared/move claim; exit 3; }; [ $1 != withdraw ] || exit 4'
	stays_after "$move claim $address failed (exit status 3)" alpha beta
}

@test "the source's withdraw fails" {
	begin
	faulty alpha <<<'[ $1 != withdraw ] || exit 3'
	stays_after "$move withdraw $address failed (exit status 3)" alpha
}

@test "the source's withdraw fails when it is done already" {
	begin
	faulty alpha <<<'[ $1 != withdraw ] || { /shared/move withdraw; exit 3; }'
	stays_after "$move withdraw $address failed (exit status 3)" alpha
}

@test "the source cannot have it back: a person is told, and does it" {
	begin
	: >"$shared/broken"
	faulty alpha <<-'END'
	[ ! -e /shared/broken ] || case $1 in
	withdraw) /shared/move withdraw; exit 3 ;;
	claim) echo the router is silent; exit 4 ;;
	esac
	END
	exits 1 "$move withdraw $address failed (exit status 3)" migrate alpha beta
	says alpha "$move claim $address failed (exit status 4): the router is silent; .*; then: ip-takeover claim $address"
	holds_address alpha
	exits 1 'the router is silent' claimed alpha
	rm "$shared/broken"
	claimed alpha
	stayed journal alpha
}

@test "the destination says that it has claimed, and has not" {
	begin
	faulty beta <<<'[ $1 != claim ] || exit 0'
	stays_after "$move claim $address says that it is done, but its status that this host does not have it" alpha beta
}

@test "the source says that it has withdrawn, and has not" {
	begin
	faulty alpha <<<'[ $1 != withdraw ] || exit 0'
	stays_after "$move withdraw $address says that it is done, but its status that this host still has it" alpha
}

@test "the destination's status does not know" {
	begin
	faulty beta <<<'[ $1 != status ] || { echo the router is silent; exit 2; }'
	stays_after "$move status $address failed (exit status 2): the router is silent"
}

@test "the destination's status does not know, as of its claim" {
	begin
	faulty beta <<-'END'
	[ $1 != claim ] || : >/shared/silent
	[ $1 != status ] || [ ! -e /shared/silent ] || { echo the router is silent; exit 2; }
	END
	stays_after "$move status $address failed (exit status 2): the router is silent" alpha beta
}

@test "after a failed claim, by criu alone, it is restored on the source" {
	begin
	faulty beta <<<'[ $1 != claim ] || exit 3'
	dump plugin
	not restore beta plugin
	grep -q "$move claim $address failed (exit status 3)" "$shared/images/restore.log"
	is_clean beta
	restore alpha plugin
	stayed journal beta
}

@test "a child of the program's has its output, and a megabyte comes" {
	begin
	faulty beta <<<'sleep 62 & head -c 1000000 /dev/zero; echo'
	migrate alpha beta
	not on beta pgrep -f 'sleep 62'
	moved
	no_images
}

# Runs slow once: long enough that the test can kill whoever has started it.
slow_once() {
	faulty "$1" <<-END
	if [ \$1 = $2 ] && [ ! -e /shared/slow ]; then : >/shared/slow; sleep 63; fi
	END
}

kill_worker() { on "$1" pkill -KILL -x ip-takeover-wrk; }

@test "the destination's worker is killed while its claim runs: the next one claims again" {
	begin
	slow_once beta claim
	dump plugin
	restore beta plugin &
	local restoring=$!
	until_true 10 "claim runs" test -e "$shared/slow"
	kill_worker beta
	wait $restoring
	not on beta pgrep -f 'sleep 63'
	moved
}

@test "the source's worker is killed while its withdraw runs: the next one withdraws again" {
	begin
	slow_once alpha withdraw
	dump plugin &
	local dumping=$!
	until_true 10 "withdraw runs" test -e "$shared/slow"
	kill_worker alpha
	wait $dumping
	not on alpha pgrep -f 'sleep 63'
	restore beta plugin
	moved
}

@test "keeper and worker are killed when it is withdrawn: rollback has the program claim" {
	begin
	# Runs after ours at post-dump.
	write_program end <<-'END'
	#!/bin/sh
	[ "$CRTOOLS_SCRIPT_ACTION" = post-dump ] || exit 0
	pkill -KILL ip-takeover
	exit 1
	END
	not dump none --action-script /shared/end --action-script /src/build/criu-action
	not neighbour_is alpha
	forget alpha
	stayed
}

@test "criu is killed on the destination while its claim runs" {
	begin
	slow_once beta claim
	sed -i 's/sleep 63/sleep 2/' "$shared/faulty"
	on beta install -m 755 /shared/faulty $move
	migrate alpha beta 2>"$shared/said" &
	local moving=$!
	until_true 10 "claim runs" test -e "$shared/slow"
	on beta pkill -KILL -x criu
	not wait $moving
	stayed journal alpha beta
	no_images
}

@test "keeper and worker are killed on the destination: rollback has the program withdraw" { killed_there; }
@test "the same with an address that is on both hosts all the time" { killed_there 198.51.100.100/32; }

# killed_there [ADDRESS]: which beta has from the beginning.
killed_there() {
	begin
	[ $# = 0 ] || on beta ip address add "$1" dev eth0
	# Runs after ours at pre-restore.
	write_program end <<-'END'
	#!/bin/sh
	[ "$CRTOOLS_SCRIPT_ACTION" = pre-restore ] || exit 0
	pkill -KILL ip-takeover
	exit 1
	END
	dump plugin
	not restore beta none --action-script /shared/end --action-script /src/build/criu-action
	neighbour_is beta
	holds_address beta
	forget beta
	not neighbour_is beta
	[ $# = 0 ] || on beta ip address del "$1" dev eth0
	is_clean beta
	restore alpha plugin
	stayed
}

# Its program may not know that, and fail.
@test "keeper and worker of a checkpoint are killed: it has moved nothing, and no program is asked" {
	begin
	faulty alpha <<<'echo "$1" >>/shared/asked; exit 9'
	stop_at post-dump
	start_checkpoint
	on alpha pkill -KILL -f '^ip-takeover.keeper'
	go_on
	not wait "$taking"
	cat "$shared/checkpoint.err"
	not test -e "$shared/asked"
	answers_go_on
	stayed
}

# three_addresses: one of each kind, and a program that fails for the last.
three_addresses() {
	local host
	for host in alpha beta; do
		on "$host" tee /etc/criu/ip-takeover.conf >/dev/null <<-END
		addresses = (
			{ address = "$prefix"; device = "eth0"; backend = "exec"; program = "$move"; },
			{ address = "192.0.2.100/24"; device = "eth0"; },
			{ address = "198.51.100.101/32"; device = "eth0"; backend = "exec"; program = "$move"; }
		);
		END
	done
	route_program
	for host in alpha beta; do on "$host" install -m 755 /shared/move $move; done
	claimed alpha
	on alpha /src/build/ip-takeover claim 198.51.100.101
	on alpha redis-server --bind $address 192.0.2.100 198.51.100.101 --port 6379 --save '' --protected-mode no \
		--daemonize yes --dir /tmp --pidfile /run/redis.pid --logfile /tmp/redis.log >/dev/null
	until_true 10 "redis writes its pidfile" on alpha test -s /run/redis.pid
	pid=$(on alpha cat /run/redis.pid)
	start_load 20 --interval-ms 10-30
}

all_answer() {
	local a
	for a in $address 192.0.2.100 198.51.100.101; do
		[ "$(on client redis-cli -h $a -t 5 ping)" = PONG ]
	done
}

@test "three addresses, two of them by a program" {
	three_addresses
	migrate alpha beta
	all_answer
	[ "$(on alpha ip -o -4 address show dev eth0 | wc -l)" = 1 ]
	moved
}

@test "three addresses, and the claim of the last one fails while the first one's runs" {
	three_addresses
	faulty beta <<-'END'
	[ $1 != claim ] || case $IP_TAKEOVER_ADDRESS in *.101) exit 3 ;; *) sleep 64 ;; esac
	END
	exits 1 "$move claim 198.51.100.101 failed (exit status 3)" migrate alpha beta
	all_answer
	[ "$(on beta ip -o -4 address show dev eth0 | wc -l)" = 1 ]
	not on beta pgrep -f 'sleep 64'
	stayed journal alpha beta
}

@test "three addresses, and the withdrawal of the last one fails" {
	three_addresses
	faulty alpha <<<'[ $1$IP_TAKEOVER_ADDRESS != withdraw198.51.100.101 ] || exit 3'
	exits 1 "$move withdraw 198.51.100.101 failed (exit status 3)" migrate alpha beta
	all_answer
	stayed journal alpha
}

@test "claim and withdraw by hand" {
	route_program
	configure /shared/move
	claimed alpha
	neighbour_is alpha
	on alpha /src/build/ip-takeover withdraw $address
	not neighbour_is alpha
	not holds_address alpha
	write_program <<<'#!/bin/false'
	exits 1 "/shared/move claim $address failed (exit status 1)" claimed beta
	not holds_address beta
	exits 1 "/shared/move withdraw $address failed" on beta /src/build/ip-takeover withdraw $address
}
