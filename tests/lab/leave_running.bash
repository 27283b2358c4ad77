# SPDX-License-Identifier: GPL-2.0-only
# Copies that the runtimes take of a service that goes on, once a second, and nobody has armed
# anything. To be loaded after helper, checkpoint, engines and podman.
# shellcheck disable=SC2154 # variables of helper.bash

slack_ms=${SLACK_MS:-1000}

# So that all of a minute's copies are taken where the time is there.
copies() { if [ "${FAULTS:-}" = all ]; then echo 60; else echo "${1:-5}"; fi; }

# As `make install RUNTIMES=runc` has it: CRIU's own lock, too.
installed() {
	on alpha sh -c "mkdir -p /etc/criu && printf 'tcp-established\nlibdir /src/build/plugin\nnetwork-lock nftables\n' >/etc/criu/runc.conf"
}

# every_second COPIES CMD...: one a second, each without a word of the last; sets $longest_ms, how
# long the longest of them took.
every_second() {
	local n=$1 i begin ms
	shift
	longest_ms=0
	for ((i = 0; i < n; i++)); do
		begin=${EPOCHREALTIME/./}
		"$@" "$i" >"$shared/said" 2>&1 || { cat "$shared/said"; return 1; }
		ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
		((ms <= longest_ms)) || longest_ms=$ms
		# The time itself is the point.
		until ((${EPOCHREALTIME/./} - begin >= 1000000)); do read -r -t 0.02 <> <(:) || :; done
	done
}

# Our tables and queues, beside whatever the engine has.
nothing_of_ours() {
	until_true 15 "the keepers end" no_keeper alpha
	no_journal alpha
	not on alpha sh -c 'nft list ruleset | grep -e ip-takeover -e CRIU'
	not on alpha sh -c 'ls /run/ip-takeover 2>/dev/null | grep .'
	[ -z "$(on alpha cat /proc/net/netfilter/nfnetlink_queue)" ]
}

# No client has noticed more than a pause, and nothing has moved.
unnoticed() {
	local waited
	end_load
	waited=$(jq '.longest_wait_s * 1000 | floor' "$shared/load.json")
	echo "longest copy $longest_ms ms, longest wait $waited ms"
	((waited <= longest_ms + slack_ms))
	nothing_of_ours
	[ ! -s "$shared/addresses" ]
}

# As wire_saw, where the container's own MAC speaks.
no_rst() {
	on client pkill -INT -x tcpdump
	until_true 5 "tcpdump ends" on client sh -c '! pgrep -x tcpdump'
	[ -z "$(on client tcpdump -nnettr /shared/capture "$forbidden" 2>/dev/null)" ]
	[ "$(on client tcpdump -nnettr /shared/capture "src host $address" 2>/dev/null | awk '{ print $2 }' | sort -u | wc -l)" = 1 ]
}
