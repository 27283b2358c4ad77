#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Every "if it fails" of the destination's stages (README.md, "What happens"), provoked. What
# kills a process is in kill.bats.

load helper
load failures

# What a third host answers by; see answer_arp.py.
third=02:00:00:00:00:64

begin() {
	busy
	dump "$1"
	manifest=$(cat "$shared/images/ip-takeover.json")
}

# refused TEXT CMD...: the restore on beta is refused for this reason, and nothing is left there.
refused() {
	not "${@:2}"
	grep "ip-takeover: .*$1" "$shared/logs/restore.log"
	until_true 5 "beta gives the address back" not holds_address beta
	is_clean beta
}

refusals() {
	begin "$1"
	# criu itself is the first that needs it.
	not without net_admin restore beta "$1"
	grep 'SO_RCVBUFFORCE: Operation not permitted' "$shared/logs/restore.log"
	is_clean beta
	refused 'eth0: cannot probe for another owner: .*CAP_NET_RAW' without net_raw restore beta "$1"
	run_is_read_only beta
	refused 'cannot make a socket in /run/ip-takeover: Read-only' restore beta "$1"
	on beta umount /run/ip-takeover
	bind_queues beta
	not restore beta "$1"
	grep 'other processes have bound the queues 29696 to 29759' "$shared/logs/restore.log"
	free_queues beta
	is_clean beta
	configured beta "/$address/s/eth0/eth9/"
	refused "$address cannot be claimed: this host has no device eth9; correct" restore beta "$1"
	configured_right beta
	configured beta "/$address/d"
	refused "$address is not in this host's configuration; add it" restore beta "$1"
	configured_right beta
	configured beta '2s/"//'
	refused '/etc/criu/ip-takeover.conf:2: syntax error' restore beta "$1"
	configured_right beta
	no_journal beta
	fill_hook beta
	not restore beta "$1"
	free_hook beta
	grep 'cannot add nftables table ip-takeover-.*-destination, the guard: Argument list too long' \
		"$shared/logs/restore.log"
	says beta 'not restored here; restore the images where you like; cannot add nftables table'
	is_clean beta
	# All that beta needs is to read the images.
	on beta mount --bind -o ro /shared/images /shared/images
	restore beta "$1"
	moved
}

@test "refused: no permission, place, queue, rule, device, policy, configuration; plugin" { refusals plugin; }
@test "refused: no permission, place, queue, rule, device, policy, configuration; scripts" { refusals scripts; }

# manifest_is JQ-FILTER
manifest_is() { jq "$1" <<<"$manifest" >"$shared/images/ip-takeover.json"; }

# claims_nothing FILTER TEXT WAY: beta refuses the manifest so edited.
claims_nothing() {
	manifest_is "$1"
	refused "$2" restore beta "$3"
}

manifests() {
	local size=${#manifest} n
	begin "$1"
	size=${#manifest}
	for n in 0 1 $((size / 2)) $((size - 1)); do
		head -c "$n" <<<"$manifest" >"$shared/images/ip-takeover.json"
		refused 'ip-takeover.json:' restore beta "$1"
	done
	claims_nothing '.version = 2' 'version: expected 1; written by another version' "$1"
	claims_nothing '.addresses = ["192.0.2.7/24"]' "192.0.2.7 is not in this host's configuration" "$1"
	claims_nothing '.addresses = []' 'addresses: expected 1 to 64' "$1"
	claims_nothing '.id = "garbage"' 'id: expected a uuid' "$1"
	claims_nothing '.epoch = -1' 'epoch: expected a positive' "$1"
	claims_nothing '.withdrawn = "yes"' 'withdrawn: expected true or false' "$1"
	claims_nothing '.neighbours = ["garbage"]' 'neighbours: expected' "$1"
	no_journal beta
	# What another hand may have written as well as alpha.
	manifest_is '.id = "00000000-0000-4000-8000-000000000000" | .epoch = 1 | .withdrawn = false |
		.neighbours = ["02:00:00:00:00:07"]'
	restore beta "$1"
	moved
}

@test "a manifest that is cut, of another version, edited; plugin" { manifests plugin; }
@test "a manifest that is cut, of another version, edited; scripts" { manifests scripts; }

# criu_fails TEXT WAY: ours has nothing to do, and criu finds no address.
criu_fails() {
	refused "$1" restore beta "$2"
	grep "Can't bind inet socket" "$shared/logs/restore.log"
	no_journal beta
}

nothing_to_do() {
	begin "$1"
	rm "$shared/images/ip-takeover.json"
	criu_fails 'no ip-takeover.json among the images: nothing to take over' "$1"
	echo "$manifest" >"$shared/images/ip-takeover.json"
	on beta mv /etc/criu/ip-takeover.conf /root
	criu_fails 'ip-takeover.conf: No such file or directory: nothing to do' "$1"
	restore alpha "$1"
	stayed
}

@test "no manifest, no configuration, plugin" { nothing_to_do plugin; }
@test "no manifest, no configuration, scripts" { nothing_to_do scripts; }

# spawn_on_beta CMD...: sets $spawned.
spawn_on_beta() {
	on beta sh -c 'setsid "$@" </dev/null >/tmp/spawned.log 2>&1 & echo $! >/run/spawned.pid' sh "$@"
	spawned=$(on beta cat /run/spawned.pid)
}

# A process of beta's own, by the PID that the service had on alpha.
take_pid() {
	on beta sh -c 'read -r last </proc/sys/kernel/ns_last_pid
		echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid
		setsid sleep 300 </dev/null >/dev/null 2>&1 & echo $! >/run/spawned.pid
		echo "$last" >/proc/sys/kernel/ns_last_pid' sh "$pid"
	[ "$(on beta cat /run/spawned.pid)" = "$pid" ]
}

in_the_middle() {
	begin "$1"
	take_pid
	not restore beta "$1"
	grep "Pid $pid .*\|exist" "$shared/logs/restore.log"
	until_true 5 "beta says so" says beta 'not restored here; restore the images where you like; criu'
	is_clean beta
	[ "$(on beta cat "/proc/$pid/comm")" = sleep ]
	on beta kill "$pid"
	spawn_on_beta python3 /src/tests/services/listen.py 0.0.0.0 6379
	until_true 5 "it listens" on beta sh -c "ss -Hltn 'sport = :6379' | grep -q ."
	not restore beta "$1"
	grep "Can't bind inet socket" "$shared/logs/restore.log"
	until_true 5 "beta says so" says beta 'not restored here; restore the images where you like; criu'
	is_clean beta
	on beta kill "$spawned"
	restore beta "$1"
	moved
}

@test "criu fails in the middle: a PID that is taken, a port that is taken; plugin" { in_the_middle plugin; }
@test "criu fails in the middle: a PID that is taken, a port that is taken; scripts" { in_the_middle scripts; }

mac_of() {
	[ "$1" = third ] && echo $third && return
	on "$1" cat /sys/class/net/eth0/address
}

in_use() {
	begin "$1"
	on client python3 /src/tests/services/answer_arp.py $address $third >"$shared/third.log" 2>&1 3>&- &
	until_true 5 "the third host listens" grep -q listens "$shared/third.log"
	refused "$address is in use by $third; withdraw it there first" restore beta "$1"
	says beta "rolled back .*$address is in use by $third; withdraw it there first"
	on client pkill -f answer_arp.py
	restore beta "$1"
	ends_at beta via alpha third beta
}

@test "the address is in use by a third host until it lets go, plugin" { in_use plugin; }
@test "the address is in use by a third host until it lets go, scripts" { in_use scripts; }

# There the claim comes when CRIU does not listen any more, and is about to let the tasks run.
@test "the address is in use by a third host until it lets go, the plugin without the action script" {
	lone_plugin
	begin plugin
	on client python3 /src/tests/services/answer_arp.py $address $third >"$shared/third.log" 2>&1 3>&- &
	until_true 5 "the third host listens" grep -q listens "$shared/third.log"
	refused "$address is in use by $third; withdraw it there first" restore beta none --libdir /shared/lone/plugin
	says beta "rolled back .*$address is in use by $third; withdraw it there first"
	on client pkill -f answer_arp.py
	restore beta none --libdir /shared/lone/plugin
	ends_at beta via alpha third beta
}

@test "rolled back by hand during the restore, the plugin without the action script" {
	lone_plugin
	begin plugin
	at post-restore '/src/build/ip-takeover rollback $(basename /run/ip-takeover/*.json -destination.json)'
	refused 'this takeover was rolled back' restore beta none --action-script /shared/at-post-restore \
		--libdir /shared/lone/plugin
	restore beta none --libdir /shared/lone/plugin
	moved
}

# Another's script refuses when ours has announced the address.
script_fails() {
	begin "$1"
	at post-restore 'exit 1'
	# shellcheck disable=SC2046
	not restore beta none $(after_ours "$1" post-restore)
	until_true 5 "beta says so" says beta 'not restored here; restore the images where you like; criu'
	is_clean beta
	restore "$2" "$1"
}

@test "a failing post-restore script, then restored on beta, plugin" {
	script_fails plugin beta
	moved
}
@test "a failing post-restore script, then restored on beta, scripts" {
	script_fails scripts beta
	moved
}
@test "a failing post-restore script, then restored on alpha" {
	script_fails plugin alpha
	ends_at alpha via alpha beta alpha journal beta
}
