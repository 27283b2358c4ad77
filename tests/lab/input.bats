#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Bad input changes nothing, is said to be bad, and a good one works afterwards.

load helper

# What a host has that we could have changed.
things() {
	on "$1" sh -c 'ip -o address; ip -o route; ip -o -6 route; nft list ruleset
		ls -A /run/ip-takeover 2>/dev/null; pgrep -l ip-takeover; sha256sum /etc/passwd'
}

# A keeper that has refused ends a little after its word.

same_things() { [ "$(things "$1")" = "$2" ]; }
as_before() { until_true 5 "$1 is as it was" same_things "$1" "$2"; }

config=/etc/criu/ip-takeover.conf
good_config() { on "$1" sh -c "rm -rf $config; cp /tmp/good.conf $config; chmod 644 $config"; }

# bad_configs HOST TRY LOG: each of these makes TRY fail, with its file and line in the log.
bad_configs() {
	local host=$1 try=$2 log=$3 before cases each line said
	before=$(things "$host")
	on "$host" cp $config /tmp/good.conf
	mapfile -t cases <<-'END'
	hold_seconds = 0;|5: hold_seconds: expected a number from 1 to 3600
	\nprobe_ms = "soon";|6: probe_ms: expected a number from 1 to 10000
	quiesce_ms = 10001;|5: quiesce_ms: expected a number from 0 to 10000
	hold_packets = -1;|5: hold_packets: expected a number from 1
	other_processes = "kill";|5: other_processes: expected "refuse" or "ignore"
	colour = "blue";|5: unknown setting; known are addresses
	addresses = ();|5: duplicate setting name
	hold_seconds 5;|5: syntax error; expected NAME = VALUE
	@include "/etc/passwd"|5: @include: expected all settings in this one file
	hold_seconds = 1;\0000|5: a zero byte; expected text
	END
	for each in "${cases[@]}"; do
		line=${each%%|*} said=${each#*|}
		good_config "$host"
		on "$host" sh -c "printf '%b\n' '$line' >>$config"
		refused_with "$try" "$log" "$config:$said"
		as_before "$host" "$before"
	done
	good_config "$host"
	on "$host" sed -i 's|192.0.2.100/24|192.0.2.100/33|' $config
	refused_with "$try" "$log" "$config:2: address: expected one like"
	good_config "$host"
	on "$host" sed -i 's|"eth0"|"eth0; reboot"|' $config
	refused_with "$try" "$log" "$config:2: device: expected the name of a network device"
	good_config "$host"
	on "$host" chmod 666 $config
	refused_with "$try" "$log" "$config: others than root may write it; chown root, chmod 644"
	on "$host" sh -c "rm $config; mkfifo $config"
	refused_with "$try" "$log" "$config: expected a file"
	on "$host" sh -c "rm $config; mkdir $config"
	refused_with "$try" "$log" "$config: expected a file"
	on "$host" sh -c "rmdir $config; truncate -s 300K $config"
	refused_with "$try" "$log" "$config: expected at most 256 KiB"
	good_config "$host"
	as_before "$host" "$before"
}

# refused_with TRY LOG TEXT
refused_with() {
	# shellcheck disable=SC2086
	not $1
	grep -F "$3" "$shared/images/$2"
}

# What is wrong with the request is said, at every stage, and the takeover goes on. The
# plugin starts its keeper after pre-dump.
malformed_requests() {
	local stages=$1
	shift
	cat >"$shared/malformed" <<-'END'
	#!/bin/sh
	case $CRTOOLS_SCRIPT_ACTION in
	pre-dump) role=source; [ -e /run/ip-takeover ] || exit 0 ;;
	post-dump) role=source ;;
	pre-restore | post-restore) role=destination ;;
	*) exit 0 ;;
	esac
	echo "$CRTOOLS_SCRIPT_ACTION" >>/shared/malformed.log
	exec python3 /src/tests/services/malformed.py $role /shared/over </dev/null >>/shared/malformed.log 2>&1
	END
	chmod +x "$shared/malformed"
	start_redis
	start_load 100 --interval-ms 10-30
	dump none --action-script /shared/malformed "$@" || { cat "$shared/malformed.log"; return 1; }
	restore beta none --action-script /shared/malformed "$@" || { cat "$shared/malformed.log"; return 1; }
	moved
	: >"$shared/over"
	[ "$(grep -c '200 connections said nothing' "$shared/malformed.log")" = "$stages" ]
}

@test "malformed requests, silent connections, other users; plugin" {
	malformed_requests 3 --libdir /src/build/plugin
}
@test "malformed requests, silent connections, other users; scripts" {
	malformed_requests 4 --action-script /src/build/criu-action
}

@test "a bad configuration on beta refuses the restore" {
	start_redis
	start_load 20 --interval-ms 10-30
	dump plugin
	bad_configs beta "restore beta plugin" restore.log
	restore beta plugin
	moved
}

@test "a bad configuration on alpha refuses the dump" {
	start_redis
	start_load 20 --interval-ms 10-30
	bad_configs alpha "dump plugin" dump.log
	no_journal alpha
	[ ! -e "$shared/images/ip-takeover.json" ]
	answers_go_on
	dump plugin
	restore beta plugin
	moved
}

@test "a hostile manifest refuses the restore" {
	local manifest=$shared/images/ip-takeover.json before cases each edit said
	start_redis
	start_load 20 --interval-ms 10-30
	dump plugin
	before=$(things beta)
	cp "$manifest" "$shared/good.json"
	mapfile -t cases <<-'END'
	.id = "../../../../tmp/x"%id: expected a uuid; copy it anew
	.id = "$(touch /tmp/x)-89ab-cdef-0123-456789"%id: expected a uuid
	.id = .id[0:35] + "/"%id: expected a uuid
	.id = 5%id: expected a uuid
	.epoch = -1%epoch: expected a positive number
	.withdrawn = "yes"%withdrawn: expected true or false
	.version = 2%version: expected 1; written by another version
	.addresses = []%addresses: expected 1 to 64
	.addresses = ["127.0.0.1/8"]%addresses: expected 1 to 64
	.addresses = ["192.0.2.100/24; reboot"]%addresses: expected 1 to 64
	.addresses += .addresses%addresses: one is named twice
	.addresses = [range(65) | "192.0.2.\(.)"]%addresses: expected 1 to 64
	.neighbours = ["garbage"]%neighbours: expected at most 1024 unicast MACs
	.neighbours = ["ff:ff:ff:ff:ff:ff"]%neighbours: expected
	.neighbours = [range(1025) | "02:00:00:00:00:01"]%neighbours: expected
	.run = "reboot"%run: unknown field; known are version
	END
	for each in "${cases[@]}"; do
		edit=${each%%\%*} said=${each#*%}
		jq "$edit" "$shared/good.json" >"$manifest"
		refused_with "restore beta plugin" restore.log "ip-takeover.json: $said"
		as_before beta "$before"
	done
	jq '.addresses = ["192.0.2.7/24"]' "$shared/good.json" >"$manifest"
	refused_with "restore beta plugin" restore.log "192.0.2.7 is not in this host's configuration"
	head -c 100 "$shared/good.json" >"$manifest"
	refused_with "restore beta plugin" restore.log "ip-takeover.json:"
	truncate -s 1G "$manifest"
	refused_with "restore beta plugin" restore.log "ip-takeover.json: too large"
	rm "$manifest"
	ln -s /shared/good.json "$manifest"
	refused_with "restore beta plugin" restore.log "ip-takeover.json: a symbolic link"
	rm "$manifest"
	mkfifo "$manifest"
	refused_with "restore beta plugin" restore.log "ip-takeover.json: expected a regular file"
	rm "$manifest"
	as_before beta "$before"
	not on beta test -e /tmp/x
	cp "$shared/good.json" "$manifest"
	restore beta plugin
	moved
}

# kinds FILE...: what is there under these names among the images.
kinds() { (cd "$shared/images" && stat -c '%n %F' "$@"); }

@test "links and pipes in place of our files among the images are not followed" {
	local before
	mkdir -p "$shared/images"
	echo precious >"$shared/precious"
	before=$(on beta sha256sum /etc/passwd)
	ln -s /etc/passwd "$shared/images/ip-takeover.json"
	ln -s /shared/precious "$shared/images/ip-takeover.json.tmp"
	mkfifo "$shared/images/ip-takeover-dump.json"
	start_redis
	start_load 20 --interval-ms 10-30
	dump plugin
	ln -s /etc/passwd "$shared/images/ip-takeover-restore.json"
	restore beta plugin
	moved
	[ "$(kinds ip-takeover.json ip-takeover-dump.json ip-takeover-restore.json)" = \
		"$(printf '%s regular file\n' ip-takeover.json ip-takeover-dump.json ip-takeover-restore.json)" ]
	[ "$before" = "$(on beta sha256sum /etc/passwd)" ]
	[ "$before" = "$(on alpha sha256sum /etc/passwd)" ]
	[ "$(cat "$shared/precious")" = precious ]
	not kinds ip-takeover.json.tmp
}

@test "a hard link in place of our record is not written through" {
	mkdir -p "$shared/images"
	echo precious >"$shared/precious"
	start_redis
	start_load 1 --interval-ms 10-30
	dump plugin
	ln "$shared/precious" "$shared/images/ip-takeover-restore.json"
	restore beta plugin
	moved
	[ "$(cat "$shared/precious")" = precious ]
}

# action NAME=VALUE...: criu-action on alpha as somebody else than criu would run it.
action() { on alpha env "$@" /src/build/criu-action; }

@test "the action script in an environment that criu did not make" {
	local before stage value long
	start_redis
	before=$(things alpha)
	long=$(head -c 100000 /dev/zero | tr '\0' x)
	exits 2 "CRTOOLS_SCRIPT_ACTION: expected a stage" action A=1
	exits 2 "CRTOOLS_SCRIPT_ACTION: expected" action CRTOOLS_SCRIPT_ACTION= CRTOOLS_IMAGE_DIR=/proc/1/fd/0
	exits 2 "CRTOOLS_IMAGE_DIR: expected /proc/PID/fd/N" action CRTOOLS_SCRIPT_ACTION=pre-dump
	for stage in pre-dump post-dump pre-restore post-restore pre-resume; do
		for value in "" x /tmp /proc/self/fd/3 /proc/x/fd/3 /proc/1/fd/ /proc/1/fd/3x /proc/-1/fd/3 \
			/proc/0/fd/3 /proc/1/fd/-3 /proc/4294967297/fd/3 "/proc/ 1/fd/3" "/proc/1/fd/3 " \
			/proc/1/fd/3/../4 "/proc/1/fd/3;reboot" "$long"; do
			exits 2 "CRTOOLS_IMAGE_DIR: expected /proc/PID/fd/N of a criu process" \
				action CRTOOLS_SCRIPT_ACTION=$stage CRTOOLS_IMAGE_DIR="$value"
		done
		for value in "" x -1 7x " 7" 4294967297 99999999999999999999 "$long"; do
			exits 2 "CRTOOLS_INIT_PID: expected a PID" action CRTOOLS_SCRIPT_ACTION=$stage \
				CRTOOLS_IMAGE_DIR=/proc/1/fd/0 CRTOOLS_INIT_PID="$value"
		done
	done
	# Well made, of no criu.
	exits 1 "/proc/4000000/fd/3: No such file" action CRTOOLS_SCRIPT_ACTION=pre-dump \
		CRTOOLS_IMAGE_DIR=/proc/4000000/fd/3
	exits 1 "/proc/1/fd/0: Not a directory" action CRTOOLS_SCRIPT_ACTION=pre-restore \
		CRTOOLS_IMAGE_DIR=/proc/1/fd/0
	# Stages in which there is nothing to do without a takeover.
	for stage in post-dump post-restore pre-resume post-resume network-lock "$long" 'x;reboot'; do
		action CRTOOLS_SCRIPT_ACTION="$stage" CRTOOLS_IMAGE_DIR=/proc/1/fd/0 >"$shared/said" 2>&1
		[ ! -s "$shared/said" ]
	done
	as_before alpha "$before"
}

keeper() { on alpha /src/build/ip-takeover keeper "$@"; }

@test "a keeper that criu did not start" {
	local before
	start_redis
	before=$(things alpha)
	exits 2 "usage: ip-takeover keeper" keeper
	exits 2 "usage: ip-takeover keeper" keeper neither 1 0 / 3
	exits 2 "usage: ip-takeover keeper" keeper source x 0 / 3
	exits 2 "usage: ip-takeover keeper" keeper source 0 0 / 3
	exits 2 "usage: ip-takeover keeper" keeper source 1x 0 / 3
	exits 2 "usage: ip-takeover keeper" keeper source -- -1 0 3
	exits 2 "usage: ip-takeover keeper" keeper source 99999999999 0 / 3
	exits 2 "usage: ip-takeover keeper" keeper source 1 -1 / 3
	exits 2 "usage: ip-takeover keeper" keeper source 1 0 images 3
	exits 2 "usage: ip-takeover keeper" keeper source 1 0 / three
	not keeper source 4000000 "$pid" / 3
	as_before alpha "$before"
}
