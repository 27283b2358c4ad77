#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What CRIU cannot dump drains before the freeze; what is not of the service stays.

load helper

# Clients that come and go, RATE a second; sets $churn.
start_churn() {
	on client sh -c "head -c 300000 /dev/zero | tr \"\\0\" x | redis-cli -h $address -x SET big"
	on client python3 /src/tests/services/churn.py $address 6379 "$1" /shared/churn.json \
		>"$shared/churn.err" 2>&1 3>&- &
	churn=$!
	until_true 10 "some have been served" served 20
}

served() { [ "$(on client redis-cli -h $address INFO stats | tr -d '\r' |
	sed -n 's/^total_connections_received://p')" -gt "$1" ]; }

# Everyone was served, and there were at least MINIMUM.
end_churn() {
	on client pkill -TERM -f churn.py
	wait "$churn"
	cat "$shared/churn.json"
	[ "$(jq '.refused + .reset + .wrong + .unserved' "$shared/churn.json")" = 0 ]
	[ "$(jq .served "$shared/churn.json")" -ge "$1" ]
}

# Packets that wait on a host, by nfnetlink_queue's third column.
waiting() { [ "$(on "$1" awk '{ n += $3 } END { print n + 0 }' /proc/net/netfilter/nfnetlink_queue)" -ge "$2" ]; }

@test "500 new connections a second during the whole takeover, all served" {
	start_redis
	start_load 20 --interval-ms 10-30
	start_churn 500
	dump plugin
	until_true 10 "new clients wait" waiting alpha 300
	restore beta plugin
	until_true 10 "beta serves new clients" served 1000
	end_churn 800
	moved
}
