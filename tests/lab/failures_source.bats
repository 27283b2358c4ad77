#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Every "if it fails" of the source's stages (README.md, "What happens"), provoked. What
# kills a process is in kill.bats.

load helper
load failures

# refused TEXT CMD...: the dump is refused for this reason, and nothing has changed.
refused() {
	not "${@:2}"
	cat "$shared/logs/dump.log" >>"$shared/logs/all.log"
	grep "ip-takeover: .*$1" "$shared/logs/dump.log"
	not on alpha test -e /shared/images/ip-takeover.json
	owner_is alpha
}

# And once the reason is gone it moves, with all its clients.
then_moves() {
	dump "$1"
	restore beta "$1"
	moved
}

no_permission() {
	refused 'no permission for netfilter (CAP_NET_ADMIN)' without net_admin dump "$1"
	refused 'eth0: cannot listen for announcements: .*CAP_NET_RAW' without net_raw dump "$1"
	no_journal alpha
}

no_place() {
	images_are alpha -o ro
	refused 'cannot write ip-takeover.json into the image directory: Read-only' dump "$1"
	on alpha umount /shared/images
	images_are alpha -o size=64k
	on alpha sh -c 'cat /dev/zero >/shared/images/zero || :' 2>/dev/null
	refused 'cannot write ip-takeover.json into the image directory: No space' dump "$1"
	on alpha umount /shared/images
	run_is_read_only alpha
	refused 'cannot make a socket in /run/ip-takeover: Read-only' dump "$1"
	on alpha umount /run/ip-takeover
	no_journal alpha
}

no_means() {
	bind_queues alpha
	not dump "$1"
	grep 'other processes have bound the queues 29696 to 29759' "$shared/logs/dump.log"
	free_queues alpha
	owner_is alpha
	no_journal alpha
	fill_hook alpha
	not dump "$1"
	grep 'cannot add nftables table ip-takeover-.*-source, the guard: Argument list too long' "$shared/logs/dump.log"
	says alpha 'the service runs here; cannot add nftables table'
	not test -e "$shared/images/ip-takeover.json"
	free_hook alpha
	owner_is alpha
	forget alpha
}

wrong_words() {
	configured alpha s/eth0/eth9/
	refused "sockets on $address, which is not on eth9 (no such device); put it there" dump "$1"
	on alpha ip address del $address/24 dev eth0
	configured_right alpha
	not dump "$1"
	grep "sockets on $address, which is not on eth0; put it there" "$shared/logs/dump.log"
	on alpha ip address add $address/24 dev eth0
	configured alpha '2s/"//'
	refused '/etc/criu/ip-takeover.conf:2: syntax error' dump "$1"
	configured_right alpha
	no_journal alpha
}

refusals() {
	busy
	no_permission "$1"
	no_place "$1"
	no_means "$1"
	wrong_words "$1"
	then_moves "$1"
}

@test "refused: no permission, place, queue, rule, device, address, configuration; plugin" { refusals plugin; }
@test "refused: no permission, place, queue, rule, device, address, configuration; scripts" { refusals scripts; }

images_full() {
	busy
	images_are alpha -o size=64k
	not dump "$1"
	grep 'No space left on device' "$shared/logs/dump.log"
	until_true 5 "alpha says that it rolled back" says alpha 'the service runs here; criu'
	not on alpha test -e /shared/images/ip-takeover.json
	owner_is alpha
	on alpha umount /shared/images
	forget alpha
	then_moves "$1"
}

@test "an image directory too small for the images, plugin" { images_full plugin; }
@test "an image directory too small for the images, scripts" { images_full scripts; }

# between STAGE COMMAND WAY [OPTION...]: something happens on alpha after ours at STAGE.
between() {
	at "$1" "$2"
	# shellcheck disable=SC2046
	dump none $(after_ours "$3" "$1") "${@:4}"
}

taken_off() {
	busy
	between pre-dump "ip address del $address/24 dev eth0" "$1" -R
	until_true 5 "alpha says so" says alpha "$address was taken off eth0 by somebody else, and stays off"
	not holds_address alpha
	on alpha /src/build/ip-takeover claim $address
	owner_is alpha
	between pre-dump "ip address del $address/24 dev eth0" "$1"
	restore beta "$1"
	moved
}

@test "the address is taken off by hand before it is withdrawn, plugin" { taken_off plugin; }
@test "the address is taken off by hand before it is withdrawn, scripts" { taken_off scripts; }

cannot_withdraw() {
	busy
	not between pre-dump "ip link set eth0 name eth7" "$1"
	on alpha ip link set eth7 name eth0
	grep "cannot withdraw $address/24 from eth0: No such device" "$shared/logs/dump.log"
	says alpha "the service runs here; cannot withdraw $address/24 from eth0: No such device"
	not test -e "$shared/images/ip-takeover.json"
	owner_is alpha
	forget alpha
	then_moves "$1"
}

@test "the device is gone when the address is to be withdrawn, plugin" { cannot_withdraw plugin; }
@test "the device is gone when the address is to be withdrawn, scripts" { cannot_withdraw scripts; }

@test "the manifest cannot say that the address was withdrawn" {
	busy
	images_are alpha
	at post-dump "mount -o remount,ro /shared/images"
	# Before ours.
	not dump none --action-script /src/build/criu-action --action-script /shared/at-post-dump
	grep 'cannot write ip-takeover.json into the image directory: Read-only' "$shared/logs/dump.log"
	says alpha 'rolled back .* the service runs here; cannot write ip-takeover.json'
	owner_is alpha
	on alpha umount /shared/images
	stayed journal alpha
}

# Its own end closes its connections, as without us.
dies_before() {
	busy
	not between pre-dump "kill -9 $pid" "$1"
	until_true 5 "alpha says so" says alpha 'the service is not here any more; the process died before its dump was complete'
	is_clean alpha
	is_clean beta
	on client pkill -TERM -x takeover-load || :
	wait "$load" || :
	on alpha /src/build/ip-takeover claim $address
	start_redis
	owner_is alpha
	forget alpha
}

@test "the service dies before it is dumped, plugin" { dies_before plugin; }
@test "the service dies before it is dumped, scripts" { dies_before scripts; }

dies_after() {
	busy
	between post-dump "kill -9 $pid" "$1" || :
	until_true 5 "alpha says that it committed" says alpha committed
	restore beta "$1"
	moved
}

@test "the service dies when its images are complete, plugin" { dies_after plugin; }
@test "the service dies when its images are complete, scripts" { dies_after scripts; }
