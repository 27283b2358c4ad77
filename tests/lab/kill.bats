#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# kill -9 of criu, of the keeper or of its worker, at every stage, on either side:
# one owner or a clean rollback, no reset, nothing left over.

load helper

# victim_dies STAGE NAME: an action script that runs after ours and kills at STAGE.
victim_dies() {
	cat >"$shared/killer" <<-END
	#!/bin/sh
	[ "\$CRTOOLS_SCRIPT_ACTION" = $1 ] || exit 0
	: >/shared/killed
	case $2 in
	criu) kill -9 "\$PPID" ;;
	*) pkill -9 -x $2 ;;
	esac
	END
	chmod +x "$shared/killer"
}

# The script that was named last runs first: ours, then the killer. The plugin names ours
# after those of the command line.
killer=(--action-script /shared/killer --action-script /src/build/criu-action)
with_plugin=(--action-script /shared/killer --libdir /src/build/plugin)

busy() {
	start_redis
	start_load 100 --interval-ms 10-30
}

criu_dies_on_source() {
	busy
	victim_dies "$1" criu
	not dump none "${killer[@]}"
	[ -e "$shared/killed" ]
	until_true 5 "alpha says that it rolled back" says alpha 'rolled back'
	stayed journal alpha
}

@test "criu killed at pre-dump" { criu_dies_on_source pre-dump; }
@test "criu killed at post-dump" { criu_dies_on_source post-dump; }

keeper_dies_on_source() {
	busy
	victim_dies "$1" "$2"
	dump none "${killer[@]}"
	[ -e "$shared/killed" ]
	restore beta scripts
	moved
}

@test "the source's keeper killed at pre-dump" { keeper_dies_on_source pre-dump ip-takeover; }
@test "the source's keeper killed at post-dump" { keeper_dies_on_source post-dump ip-takeover; }
@test "the source's worker killed at pre-dump" { keeper_dies_on_source pre-dump ip-takeover-wrk; }
@test "the source's worker killed at post-dump" { keeper_dies_on_source post-dump ip-takeover-wrk; }

keeper_dies_after_commit() {
	busy
	dump plugin
	until_true 5 "alpha says that it committed" says alpha 'committed'
	on alpha pkill -9 -x "$1"
	restore beta plugin
	moved
}

@test "the source's keeper killed after the commit" { keeper_dies_after_commit ip-takeover; }
@test "the source's worker killed after the commit" { keeper_dies_after_commit ip-takeover-wrk; }

@test "criu killed at post-dump, plugin" {
	killer=("${with_plugin[@]}")
	criu_dies_on_source post-dump
}
@test "the source's worker killed at post-dump, plugin" {
	killer=("${with_plugin[@]}")
	keeper_dies_on_source post-dump ip-takeover-wrk
}

# The tasks that criu had made go too, and the images serve once more.
criu_dies_before_release() {
	busy
	dump plugin
	victim_dies "$1" criu
	not restore beta none "${killer[@]}"
	[ -e "$shared/killed" ]
	until_true 5 "beta says that it rolled back" says beta 'rolled back'
	is_clean beta
	restore beta plugin
	moved
}

@test "criu killed at pre-restore" { criu_dies_before_release pre-restore; }
@test "criu killed at post-restore" { criu_dies_before_release post-restore; }

@test "criu killed at post-restore, plugin" {
	killer=("${with_plugin[@]}")
	criu_dies_before_release post-restore
}

criu_dies_after_release() {
	busy
	dump plugin
	victim_dies "$1" criu
	not restore beta none "${killer[@]}"
	[ -e "$shared/killed" ]
	moved
}

@test "criu killed at pre-resume" { criu_dies_after_release pre-resume; }
@test "criu killed at post-resume" { criu_dies_after_release post-resume; }

@test "criu killed at pre-resume, plugin" {
	killer=("${with_plugin[@]}")
	criu_dies_after_release pre-resume
}

keeper_dies_on_destination() {
	busy
	dump plugin
	victim_dies "$1" "$2"
	restore beta none "${killer[@]}"
	[ -e "$shared/killed" ]
	moved
}

@test "the destination's keeper killed at pre-restore" { keeper_dies_on_destination pre-restore ip-takeover; }
@test "the destination's keeper killed at post-restore" { keeper_dies_on_destination post-restore ip-takeover; }
@test "the destination's keeper killed at pre-resume" { keeper_dies_on_destination pre-resume ip-takeover; }
@test "the destination's keeper killed at post-resume" { keeper_dies_on_destination post-resume ip-takeover; }
@test "the destination's worker killed at pre-restore" { keeper_dies_on_destination pre-restore ip-takeover-wrk; }
@test "the destination's worker killed at post-restore" { keeper_dies_on_destination post-restore ip-takeover-wrk; }
@test "the destination's worker killed at pre-resume" { keeper_dies_on_destination pre-resume ip-takeover-wrk; }
@test "the destination's worker killed at post-resume" { keeper_dies_on_destination post-resume ip-takeover-wrk; }

@test "the destination's worker killed at post-restore, plugin" {
	killer=("${with_plugin[@]}")
	keeper_dies_on_destination post-restore ip-takeover-wrk
}

# A keeper whose first worker dies when it has done its first step, and has not said so yet.
dies_unheard() {
	mkdir "$shared/bin"
	cat >"$shared/die.c" <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <fcntl.h>
	#include <signal.h>
	#include <string.h>
	#include <unistd.h>

	int rename(const char *from, const char *to)
	{
		int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
		int ret = real(from, to), fd = open(to, O_RDONLY);
		char text[16384] = "";

		if (read(fd, text, sizeof(text) - 1) > 0 && strstr(text, "\"prepared\"") &&
		    open("/shared/died", O_CREAT | O_EXCL, 0600) >= 0)
			kill(getpid(), SIGKILL);
		close(fd);
		return ret;
	}
	END
	cc -shared -fPIC -o "$shared/die.so" "$shared/die.c"
	cp "$top/build/criu-action" "$shared/bin/"
	cat >"$shared/bin/ip-takeover" <<-'END'
	#!/bin/sh
	LD_PRELOAD=/shared/die.so exec /src/build/ip-takeover "$@"
	END
	chmod +x "$shared/bin/ip-takeover"
	killer=(--action-script /shared/bin/criu-action)
}

has_ended() { not kill -0 "$1"; }

@test "the source's worker killed before criu has its first answer" {
	busy
	dies_unheard
	dump none "${killer[@]}" &
	until_true 20 "criu ends" has_ended $!
	[ -e "$shared/died" ]
	restore beta scripts
	moved
}

@test "the destination's worker killed before criu has its first answer" {
	busy
	dump scripts
	dies_unheard
	restore beta none "${killer[@]}" &
	until_true 20 "criu ends" has_ended $!
	[ -e "$shared/died" ]
	moved
}

# As when criu is killed while its parasite code runs in the service.
@test "criu and the service itself killed before the dump is done" {
	busy
	# The killer first, so that ours is not asked any more.
	victim_dies post-dump criu
	sed -i 's/kill -9 "$PPID"/kill -9 "$CRTOOLS_INIT_PID" "$PPID"/' "$shared/killer"
	not dump none --action-script /src/build/criu-action --action-script /shared/killer
	until_true 5 "alpha says so" says alpha 'the process died before its dump was complete'
	is_clean alpha
	is_clean beta
	on client pkill -KILL -x takeover-load
	wire_saw alpha
	on alpha /src/build/ip-takeover claim $address
	start_redis
	answers_go_on
}

# Two kills: nobody is left to clean up but a person.
@test "keeper and worker killed together before the dump ends" {
	busy
	victim_dies pre-dump ip-takeover
	sed -i 's/pkill -9 -x/pkill -9/' "$shared/killer"
	not dump none "${killer[@]}"
	says alpha 'keeper was killed'
	forget alpha
	stayed
}

@test "keeper and worker killed together, then restored on beta: one owner" {
	local id
	busy
	victim_dies post-dump ip-takeover
	sed -i 's/pkill -9 -x/pkill -9/' "$shared/killer"
	dump none "${killer[@]}" --leave-running
	until_true 5 "alpha says that its keeper was killed" says alpha 'keeper was killed'
	restore beta plugin
	id=$(on alpha /src/build/ip-takeover status --json | jq -er '.[].id')
	exits 1 "is in use by $(mac_of beta); withdraw it there first" \
		on alpha /src/build/ip-takeover rollback "$id"
	not holds_address alpha
	on alpha pkill -KILL -x redis-server
	forget alpha
	moved
}

@test "keeper and worker killed together after the commit" {
	busy
	dump plugin
	until_true 5 "alpha says that it committed" says alpha 'committed'
	on alpha pkill -9 ip-takeover
	until_true 5 "alpha says that its keeper was killed" says alpha 'keeper was killed'
	restore beta plugin
	forget alpha
	moved
}

@test "criu, keeper and worker killed together before the restore ends" {
	busy
	dump plugin
	victim_dies post-restore criu
	sed -i 's/kill -9 "$PPID"/pkill -9 ip-takeover; &/' "$shared/killer"
	not restore beta none "${killer[@]}"
	until_true 5 "beta says that its keeper was killed" says beta 'keeper was killed'
	forget beta
	is_clean beta
	restore beta plugin
	moved
}

# As in a container whose first process waits for none but its own children.
@test "keeper and worker killed together, and nobody reaps them" {
	cat >"$shared/parent.py" <<-'END'
	import ctypes, os, signal, sys
	PR_SET_CHILD_SUBREAPER = 36
	ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	criu = os.spawnv(os.P_NOWAIT, "/bin/sh", ["sh", "-c", 'exec "$@"', "sh"] + sys.argv[1:])
	os.waitpid(criu, 0)
	signal.pause()
	END
	busy
	on alpha sh -c 'setsid python3 /shared/parent.py criu dump "$@" </dev/null >/dev/null 2>&1 &
		echo $! >/run/parent.pid' sh "${common[@]}" -t "$pid" -o dump.log --libdir /src/build/plugin
	until_true 10 "alpha has committed" says alpha committed
	# It would reap the worker itself.
	on alpha pkill -STOP -x ip-takeover
	on alpha pkill -9 ip-takeover
	until_true 5 "the worker is a zombie" on alpha sh -c 'ps -e -o stat=,comm= | grep -q "^Z.*ip-takeover-wrk"'
	says alpha 'keeper was killed'
	restore beta plugin
	forget alpha
	on alpha sh -c 'kill "$(cat /run/parent.pid)"'
	moved
}

# By hand as by the keeper: what was beta's before stays beta's.
@test "the same, of an address that beta had before" {
	start_redis
	answers_go_on
	dump plugin
	on beta ip address add $address/24 dev eth0
	victim_dies pre-restore criu
	sed -i 's/kill -9 "$PPID"/pkill -9 ip-takeover; &/' "$shared/killer"
	not restore beta none "${killer[@]}"
	until_true 5 "beta says that its keeper was killed" says beta 'keeper was killed'
	forget beta
	holds_address beta
	restore beta plugin
	moved
}
