#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A kernel that refuses what is asked of it.

load helper
load kernel

busy() {
	start_redis
	start_load 10 --interval-ms 10-30
}

@test "the destination's guard goes only at the third try" {
	busy
	dump plugin
	kernel_refuses REFUSE_REMOVE=2
	restore beta none "${ours[@]}"
	until_true 5 "beta's keeper has ended" no_keeper beta
	[ -n "$(event restore 'guard not removed')" ]
	moved
}

@test "the destination's guard does not go at all" {
	busy
	dump plugin
	kernel_refuses "REFUSE_OPEN=1000000 REFUSE_REMOVE=1000000"
	restore beta none "${ours[@]}"
	until_true 5 "beta says so" says beta 'over, but for its guard; .*cannot remove the guard.*Device or resource busy, and it cuts'
	exits 0 'removing takeover' on beta /src/build/ip-takeover clean
	moved
}

@test "the source's guard goes only at the third try" {
	busy
	kernel_refuses REFUSE_REMOVE=2
	dump none "${ours[@]}"
	restore beta plugin
	moved
	[ -n "$(event dump 'guard not removed')" ]
}

@test "the source's guard does not go after a rollback" {
	busy
	kernel_refuses "REFUSE_OPEN=1000000 REFUSE_REMOVE=1000000"
	dump none "${ours[@]}" --leave-running
	until_true 5 "alpha says so" says alpha 'the service runs here; .*cannot remove the guard.*Device or resource busy, and it cuts'
	exits 0 'removing the journal' on alpha /src/build/ip-takeover clean
	stayed
}

@test "addresses, routes and tables change while they are listed" {
	on alpha ip address del $address/24 dev eth0
	on alpha ip address add $address/24 dev eth0 label eth0:service
	on alpha ip route add 198.51.100.0/24 via 192.0.2.2 src $address
	busy
	kernel_refuses "CHANGE_ADDRESSES=2 CHANGE_ROUTES=2 CHANGE_TABLES=2"
	dump none "${ours[@]}" --leave-running
	[ "$(on alpha ip route show 198.51.100.0/24 | grep -c "src $address")" = 1 ]
	on alpha ip -o address show to $address | grep eth0:service
	stayed journal alpha
}

@test "addresses that change all the time" {
	busy
	kernel_refuses CHANGE_ADDRESSES=1000000
	not dump none "${ours[@]}"
	grep 'cannot list addresses: Interrupted' "$shared/images/dump.log"
	stayed
}

@test "guards that change while clean lists them" {
	kernel_refuses CHANGE_TABLES=2
	on alpha nft add table ip ip-takeover-12345678-source
	exits 0 'removing guard ip-takeover-12345678-source' on alpha /shared/bin/ip-takeover clean
	nothing_left alpha
}

@test "a server of images has no room for the manifest, as it says at the end" {
	busy
	kernel_refuses REFUSE_MANIFEST=1
	not dump none "${ours[@]}"
	grep 'cannot write ip-takeover.json into the image directory: Disk quota exceeded' "$shared/images/dump.log"
	[ -z "$(ls "$shared/images" | grep ip-takeover.json)" ]
	stayed
}
