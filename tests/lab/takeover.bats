#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A redis with busy clients moves from alpha to beta together with its address.

load helper

# takeover CONNECTIONS WAY-OF-DUMP WAY-OF-RESTORE
takeover() {
	start_redis
	start_load "$1" --interval-ms 10-30
	dump "$2"
	restore beta "$3"
	moved
	silent_before_claim
}

@test "1 connection, plugin only" { takeover 1 plugin plugin; }
@test "100 connections, plugin only" { takeover 100 plugin plugin; }
@test "1000 connections, plugin only" { takeover 1000 plugin plugin; }
@test "1 connection, scripts only" { takeover 1 scripts scripts; }
@test "100 connections, scripts only" { takeover 100 scripts scripts; }
@test "1000 connections, scripts only" { takeover 1000 scripts scripts; }
@test "1 connection, plugin on the source, scripts on the destination" { takeover 1 plugin scripts; }
@test "100 connections, plugin on the source, scripts on the destination" { takeover 100 plugin scripts; }
@test "1000 connections, plugin on the source, scripts on the destination" { takeover 1000 plugin scripts; }

answered() { [ "$(on client redis-cli -h $address INFO stats | tr -d '\r' |
	sed -n 's/^total_commands_processed://p')" -gt "$1" ]; }

@test "1000 connections, most of them idle" {
	start_redis
	start_load 1000 --interval-ms 800-1000
	dump plugin
	restore beta plugin
	until_true 10 "each has asked again" answered 2500
	moved
}

@test "100 connections that never pause" {
	start_redis
	start_load 100
	dump plugin
	restore beta plugin
	moved
}

@test "after a second between dump and restore all clients are answered at once" {
	start_redis
	start_load 100 --interval-ms 100-300
	dump plugin
	# The time itself is the point: the longest retransmission timer runs meanwhile.
	sleep 1
	restore beta plugin
	until_true 20 "the keepers end" no_keeper alpha
	moved
	# A client left alone would wait for its own timer, half a second and more.
	echo "spread $(field "$shared/load.json" spread_ms) ms"
	[ "$(field "$shared/load.json" spread_ms | cut -d. -f1)" -lt 300 ]
	[ "$(field "$shared/images/ip-takeover-dump.json" held)" -ge 100 ]
	[ "$(field "$shared/images/ip-takeover-dump.json" relayed)" = "$(field "$shared/images/ip-takeover-dump.json" held)" ]
}

# The keepers of the first takeover still linger when the second begins.
@test "there and back again, at once" {
	start_redis
	start_load 50 --interval-ms 10-30
	dump plugin
	restore beta plugin
	rm -r "$shared/images"
	mkdir "$shared/images"
	on beta criu dump "${common[@]}" -t "$pid" -o dump.log --libdir /src/build/plugin
	restore alpha plugin
	ends_at alpha via alpha beta alpha
}

@test "a second dump of the same service is refused while the first is under way" {
	cat >"$shared/again" <<-'END'
	#!/bin/sh
	[ "$CRTOOLS_SCRIPT_ACTION" = pre-dump ] || exit 0
	mkdir -p /shared/second
	criu dump --images-dir /shared/second -v4 --tcp-established --network-lock skip \
		-t "$(pgrep -o redis-server)" -o dump.log --action-script /src/build/criu-action
	[ $? -ne 0 ]
	END
	chmod +x "$shared/again"
	start_redis
	start_load 10 --interval-ms 10-30
	dump none --action-script /shared/again --action-script /src/build/criu-action
	grep -q 'of the same address is prepared' "$shared/second/dump.log"
	restore beta plugin
	moved
}

@test "a dump while the restore's keeper is about to end" {
	mkdir "$shared/bin" "$shared/second"
	cat >"$shared/slow.c" <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <string.h>
	#include <unistd.h>

	int unlinkat(int dirfd, const char *path, int flags)
	{
		int (*real)(int, const char *, int) = dlsym(RTLD_NEXT, "unlinkat");

		if (strcmp(path, "ip-takeover-restore.json") == 0)
			sleep(1);
		return real(dirfd, path, flags);
	}
	END
	cc -shared -fPIC -o "$shared/slow.so" "$shared/slow.c"
	cp "$top/build/criu-action" "$shared/bin/"
	cat >"$shared/bin/ip-takeover" <<-'END'
	#!/bin/sh
	LD_PRELOAD=/shared/slow.so exec /src/build/ip-takeover "$@"
	END
	chmod +x "$shared/bin/ip-takeover"
	start_redis
	start_load 10 --interval-ms 10-30
	dump plugin
	restore beta none --action-script /shared/bin/criu-action
	until_true 5 "beta's keeper is about to end" says beta done
	common[1]=/shared/second
	on beta criu dump "${common[@]}" -t "$pid" -o dump.log --libdir /src/build/plugin
	restore alpha plugin
	ends_at alpha via alpha beta alpha
}

# A retransmission by a socket that criu has read already carries a younger timestamp
# than what the restored one will send, and the peer would drop that (RFC 7323, PAWS).
@test "nothing leaves alpha once the service is frozen" {
	local last
	# Runs before ours at post-dump: longer than any first retransmission timer.
	cat >"$shared/slow" <<-'END'
	#!/bin/sh
	[ "$CRTOOLS_SCRIPT_ACTION" != post-dump ] || sleep 0.5
	END
	chmod +x "$shared/slow"
	start_redis
	start_load 100
	dump scripts --action-script /shared/slow
	restore beta scripts
	moved
	last=$(on client tcpdump -ttnner /shared/capture "ether src $(mac_of alpha) and src host $address" \
		2>/dev/null | tail -n 1 | cut -d' ' -f1)
	awk -v last="$last" -v frozen="$(event dump frozen)" 'BEGIN { exit !(last * 1000 < frozen + 50) }'
}

# Nobody tells the keeper of the freeze: it looks whether criu traces the tree.
@test "the freeze is seen though a child of the service has ended" {
	on alpha setsid -f sh -c "true & exec redis-server --bind $address --port 6379 --save '' \
		--protected-mode no --dir /tmp --pidfile /run/redis.pid </dev/null >/dev/null 2>&1"
	until_true 10 "redis writes its pidfile" on alpha test -s /run/redis.pid
	pid=$(on alpha cat /run/redis.pid)
	on alpha ps -o stat= --ppid "$pid" | grep -q Z
	start_load 10 --interval-ms 10-30
	dump plugin
	restore beta plugin
	moved
	[ -n "$(event dump frozen)" ]
}

# slow_post_dump THEN: restored on beta while a script of the dump goes on, which THEN ends.
slow_post_dump() {
	local dumping
	cat >"$shared/slow" <<-END
	#!/bin/sh
	[ "\$CRTOOLS_SCRIPT_ACTION" = post-dump ] || exit 0
	until [ -e /shared/go ]; do sleep 0.05; done
	$1
	END
	chmod +x "$shared/slow"
	start_redis
	start_load 10 --interval-ms 10-30
	dump none --action-script /shared/slow --action-script /src/build/criu-action &
	dumping=$!
	until_true 10 "alpha has withdrawn" says alpha withdrawn
	restore beta plugin
	until_true 10 "beta has announced all" no_keeper beta
	: >"$shared/go"
	wait "$dumping"
}

@test "restored on beta before criu has ended on alpha" {
	slow_post_dump true
	moved
}

@test "restored on beta, then criu is killed on alpha: one owner" {
	not slow_post_dump 'kill -9 $PPID'
	until_true 5 "alpha says so" says alpha "is in use by $(mac_of beta) and stays off"
	not holds_address alpha
	on alpha pkill -KILL -x redis-server
	forget alpha
	moved
}

@test "beta does not answer for the address before it claims it" {
	# Runs after ours at pre-restore.
	cat >"$shared/wait" <<-'END'
	#!/bin/sh
	[ "$CRTOOLS_SCRIPT_ACTION" = pre-restore ] || exit 0
	: >/shared/here
	until [ -e /shared/go ]; do sleep 0.05; done
	END
	chmod +x "$shared/wait"
	start_redis
	start_load 10 --interval-ms 10-30
	dump scripts
	restore beta none --action-script /shared/wait --action-script /src/build/criu-action &
	local restoring=$!
	until_true 10 "beta has the address" test -e "$shared/here"
	holds_address beta
	[ -z "$(who_has)" ]
	: >"$shared/go"
	wait "$restoring"
	moved
}

# CRIU leaves its connections in repair mode: they end without a word.
leaves_stopped() {
	start_redis
	start_load 10 --interval-ms 10-30
	dump "$1" --leave-stopped
	until_true 5 "alpha has committed" says alpha committed
	says alpha 'the process is stopped, without the address; packets wait'
	exits 1 'is stopped; end it, and restore its images here' on alpha sh -c '/src/build/ip-takeover rollback $(basename /run/ip-takeover/*.json -source.json)'
	[[ $(on alpha ps -o stat= -p "$pid") = T* ]]
	not holds_address alpha
	restore beta "$1"
	on alpha kill -KILL "$pid"
	moved
}

@test "alpha's process is left stopped, plugin" { leaves_stopped plugin; }
@test "alpha's process is left stopped, scripts" { leaves_stopped scripts; }

@test "as make install puts it" {
	local host
	make -s -C "$top" install DESTDIR="$shared/installed" PREFIX=/usr/local
	for host in alpha beta; do
		on "$host" cp -r /shared/installed/usr/local/. /usr/local/
	done
	start_redis
	start_load 10 --interval-ms 10-30
	dump none --libdir /usr/local/lib/criu-ip-takeover
	on alpha ip-takeover status | grep committed
	restore beta none --action-script /usr/local/libexec/criu-ip-takeover/criu-action
	moved
}

@test "the plugin without the action script" {
	lone_plugin
	start_redis
	start_load 100 --interval-ms 10-30
	dump none --libdir /shared/lone/plugin
	grep -q 'cannot register criu-action' "$shared/images/dump.log"
	restore beta none --libdir /shared/lone/plugin
	moved
}

# As with --external or --inherit-fd by the hundred: the PID stands where 4096 bytes end.
@test "the tree of a criu with a long command line" {
	local words padding=() log=dump.log bytes
	start_redis
	start_load 10 --interval-ms 10-30
	words=(criu dump -o $log "${common[@]}" --libdir /src/build/plugin -t)
	bytes=$((4095 - ${#pid} + 1 - $(printf '%s\n' "${words[@]}" | wc -c)))
	while ((${#padding[@]} < bytes / 4)); do padding+=(-v4); done
	words[3]=$(printf '%.*s' $((bytes % 4)) xxx)$log
	on alpha "${words[@]::2}" "${padding[@]}" "${words[@]:2}" "$pid" 3>&-
	restore beta plugin
	moved
}
