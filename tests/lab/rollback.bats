#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Takeovers that do not happen: the service goes on where it was.

load helper

busy() {
	start_redis
	start_load 100 --interval-ms 10-30
}

# left_running WAY: criu dump -R takes an image and lets the service live.
left_running() {
	busy
	dump "$1" -R
	until_true 5 "alpha says that it rolled back" says alpha 'rolled back'
	stayed journal alpha
}

@test "dump -R, plugin" { left_running plugin; }
@test "dump -R, scripts" { left_running scripts; }

# refused_after WAY: another action script makes the dump fail after ours withdrew.
refused_after() {
	busy
	cat >"$shared/refuse" <<-'END'
	#!/bin/sh
	[ "$CRTOOLS_SCRIPT_ACTION" != post-dump ]
	END
	chmod +x "$shared/refuse"
	not dump "$1" --action-script /shared/refuse
	until_true 5 "it is rolled back" says alpha 'rolled back'
	stayed journal alpha
}

@test "a failing post-dump script, plugin" { refused_after plugin; }
@test "a failing post-dump script, scripts" { refused_after scripts; }

# A dump that fails in the middle: without --tcp-established CRIU refuses connections.
fails_half_way() {
	busy
	# shellcheck disable=SC2046
	not on alpha criu dump --images-dir /shared/images -v4 --network-lock skip -t "$pid" \
		-o dump.log $(way "$1")
	stayed journal alpha
}

@test "a dump that fails half-way, plugin" { fails_half_way plugin; }
@test "a dump that fails half-way, scripts" { fails_half_way scripts; }

# beta_fails WAY: beta lacks a file that the service has open; alpha takes it back.
beta_fails() {
	on alpha touch /tmp/only-on-alpha
	on alpha sh -c 'exec redis-server --bind '$address' --port 6379 --save "" --protected-mode no \
		--daemonize yes --dir /tmp --pidfile /run/redis.pid --logfile /tmp/redis.log \
		9</tmp/only-on-alpha' >/dev/null
	until_true 10 "redis writes its pidfile" on alpha test -s /run/redis.pid
	pid=$(on alpha cat /run/redis.pid)
	start_load 100 --interval-ms 10-30
	dump "$1"
	not restore beta "$1"
	until_true 10 "beta gives the address back" not holds_address beta
	is_clean beta
	says beta 'rolled back'
	restore alpha "$1"
	stayed journal beta
}

@test "a restore on beta that fails, then one on alpha, plugin" { beta_fails plugin; }
@test "a restore on beta that fails, then one on alpha, scripts" { beta_fails scripts; }

@test "after a restore on alpha itself nothing has changed" {
	busy
	dump plugin
	restore alpha plugin
	stayed
}

@test "restored on alpha by claim and a criu without us" {
	busy
	dump plugin
	on alpha /src/build/ip-takeover claim $address
	on alpha criu restore "${common[@]}" -d -o restore.log
	stayed
}

@test "an address that another host holds is not claimed" {
	busy
	dump plugin
	on alpha ip address add $address/24 dev eth0
	not restore beta plugin
	grep -q 'is in use by' "$shared/images/restore.log"
	until_true 10 "beta gives the address back" not holds_address beta
	is_clean beta
	on alpha ip address del $address/24 dev eth0
	restore beta plugin
	moved
}

@test "an address that the destination's configuration does not name is not claimed" {
	busy
	dump plugin
	on beta sed -i "/$address/d" /etc/criu/ip-takeover.conf
	not restore beta plugin
	grep -q "$address is not in this host's configuration" "$shared/images/restore.log"
	is_clean beta
	restore alpha plugin
	stayed
}

@test "without configuration the plugin does nothing and says so once" {
	start_redis
	on alpha rm /etc/criu/ip-takeover.conf
	dump plugin -R
	[ "$(grep -c ip-takeover: "$shared/images/dump.log")" = 1 ]
	grep 'ip-takeover: .*ip-takeover.conf: No such file.*nothing to do' "$shared/images/dump.log"
	stayed
}

# Nobody claims for as long as alpha holds; its clients' connections live all the same.
@test "a service that nobody restores in time, then beta does" {
	on alpha sh -c 'echo "hold_seconds = 1;" >>/etc/criu/ip-takeover.conf'
	busy
	dump plugin
	until_true 10 "alpha gives up" on alpha sh -c '/src/build/ip-takeover status | grep -q abandoned'
	is_clean alpha
	restore beta plugin
	says alpha 'no new owner within 1 s'
	moved journal alpha
}

# at_post_dump COMMAND: the plugin alone asks the keeper only later, when CRIU does not listen
# any more and is about to end the tasks.
at_post_dump() {
	lone_plugin
	busy
	cat >"$shared/script" <<-END
	#!/bin/sh
	[ "\$CRTOOLS_SCRIPT_ACTION" != post-dump ] || $1
	END
	chmod +x "$shared/script"
	not dump none --action-script /shared/script --libdir /shared/lone/plugin
}

@test "the manifest cannot be renewed, the plugin without the action script" {
	at_post_dump 'mkdir /shared/images/ip-takeover.json.tmp'
	until_true 5 "alpha says so" says alpha 'cannot write ip-takeover.json'
	stayed journal alpha
}

@test "rolled back by hand during the dump, the plugin without the action script" {
	at_post_dump '/src/build/ip-takeover rollback $(basename /run/ip-takeover/*.json -source.json)'
	stayed journal alpha
}

@test "dump -R, the plugin without the action script" {
	lone_plugin
	busy
	dump none --libdir /shared/lone/plugin -R
	stayed journal alpha
}
