#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Two services on one host, each with an address of its own, on their way at the same time.

load helper

other=192.0.2.101

# On beta.
start_other() {
	on beta ip address add $other/24 dev eth0
	on beta sed -i "2i { address = \"$other/24\"; device = \"eth0\"; }," /etc/criu/ip-takeover.conf
	on beta sh -c "setsid python3 /src/tests/services/listen.py $other 7000 </dev/null >/tmp/other.log 2>&1 &
		echo \$! >/run/other.pid"
	until_true 5 "it listens" other_listens
}

other_listens() { on beta ss -Hltn "src $other:7000" | grep -q .; }

# Away and back, on beta.
other_returns() {
	local images=(--images-dir /shared/other --tcp-established --network-lock skip --libdir /src/build/plugin)
	mkdir "$shared/other"
	on beta criu dump "${images[@]}" -v4 -o dump.log -t "$(on beta cat /run/other.pid)" 3>&-
	on beta criu restore "${images[@]}" -v4 -o restore.log -d 3>&-
}

other_is_open() { not on beta sh -c "nft list ruleset | grep -q 'addr $other '"; }
waiting() { [ "$(on beta awk '{ n += $3 } END { print n + 0 }' /proc/net/netfilter/nfnetlink_queue)" -ge "$1" ]; }

@test "a takeover that ends drops nothing that waits for another" {
	# Runs before ours at post-restore, and after it at pre-resume.
	cat >"$shared/wait" <<-'END'
	#!/bin/sh
	[ "$CRTOOLS_SCRIPT_ACTION" = post-restore ] || exit 0
	/src/build/criu-action
	: >/shared/claimed
	until [ -e /shared/go ]; do sleep 0.01; done
	END
	chmod +x "$shared/wait"
	start_other
	start_redis
	start_load 10 --interval-ms 10-30
	dump scripts
	restore beta scripts --action-script /shared/wait &
	local restoring=$!
	until_true 10 "beta has claimed the address" test -e "$shared/claimed"
	on client ping -c 20 -i 0.02 -W 10 $address >"$shared/ping" 3>&- &
	local ping=$!
	until_true 5 "requests wait" waiting 30
	other_returns
	until_true 10 "nothing waits for the other" other_is_open
	# The time itself is the point: its guard would go now.
	sleep 0.2
	: >"$shared/go"
	wait "$restoring"
	wait "$ping"
	cat "$shared/ping"
	grep -q '20 received' "$shared/ping"
	other_listens
	on beta pkill -x python3
	moved
}
