#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A service behind its host's translation, as a container with published ports: plugin and keeper
# move its address and the translations of its connections. criu is told the container's network
# as runc tells it.

load helper
load published
load kernel

dump_boxed() {
	on "$1" env IP_TAKEOVER_PUBLISHED=$address criu dump "${common[@]}" -t "$pid" -o dump.log \
		--libdir /src/build/plugin --external "net[$(on "$1" stat -L -c %i "/proc/$pid/ns/net")]:box" "${@:2}" 3>&-
}

restore_boxed() {
	on "$1" bash -c 'exec 9</run/netns/box && exec "$@"' sh criu restore "${common[@]}" -d -o restore.log \
		--libdir /src/build/plugin --inherit-fd 'fd[9]:box' "${@:2}" 3>&-
}

# Our tables beside those of the container's network.
unguarded() {
	until_true 15 "the keepers of $1 end" no_keeper "$1"
	not on "$1" sh -c 'nft list ruleset | grep ip-takeover'
	not boxed "$1" sh -c 'nft list ruleset | grep ip-takeover'
}

there_and_back() {
	start_boxed
	container beta 7000
	start_load 50 --interval-ms 10-30
	dump_boxed alpha
	not holds_address alpha
	[ "$(jq length "$shared/images/ip-takeover-nat.json")" = 50 ]
	restore_boxed beta
	unguarded alpha
	unguarded beta
	dump_boxed beta
	restore_boxed alpha
	end_load
	wire_saw alpha beta alpha
	unguarded alpha
	unguarded beta
}

@test "there and back with 50 clients" { there_and_back; }

@test "there and back over IPv6" { there_and_back; }

@test "a dump that leaves it running" {
	start_boxed
	start_load 50 --interval-ms 10-30
	dump_boxed alpha -R
	holds_address alpha
	end_load
	wire_saw alpha
	unguarded alpha
}

@test "the container has another address there: refused, and back on alpha it goes on" {
	start_boxed
	inside=198.51.100.6 target=198.51.100.6 container beta 7000
	start_load 50 --interval-ms 10-30
	dump_boxed alpha
	not restore_boxed beta
	grep "198.51.100.5, which the container has not got here" "$shared/images/restore.log"
	not holds_address beta
	restore_boxed alpha
	end_load
	wire_saw alpha
	unguarded alpha
	unguarded beta
}

@test "restored without a network of its own: refused" {
	start_boxed
	start_load 50 --interval-ms 10-30
	dump_boxed alpha
	not on beta criu restore "${common[@]}" -d -o restore.log --libdir /src/build/plugin 3>&-
	grep "its sockets were in a network namespace of their own" "$shared/images/restore.log"
	restore_boxed alpha
	end_load
	wire_saw alpha
}

@test "keeper and worker killed on beta, and its criu: rollback from the host, back on alpha it goes on" {
	start_boxed
	container beta 7000
	start_load 50 --interval-ms 10-30
	dump_boxed alpha
	# shellcheck disable=SC2016 # for beta's shell
	printf '#!/bin/sh\n[ "$CRTOOLS_SCRIPT_ACTION" != pre-restore ] || kill -KILL $(pgrep -f "keeper [d]estination") $PPID\n' >"$shared/killer"
	chmod +x "$shared/killer"
	not restore_boxed beta --action-script /shared/killer
	boxed beta nft list ruleset | grep -q ip-takeover
	forget beta
	unguarded beta
	restore_boxed alpha
	end_load
	wire_saw alpha
	unguarded alpha
}

@test "what it publishes is no address: said, and nothing is touched" {
	start_boxed
	start_load 50 --interval-ms 10-30
	not on alpha env "IP_TAKEOVER_PUBLISHED=$address,x" criu dump "${common[@]}" -t "$pid" -o dump.log \
		--libdir /src/build/plugin --external "net[$(on alpha stat -L -c %i "/proc/$pid/ns/net")]:box" 3>&-
	grep "cannot look into the network namespace /proc/$pid/ns/net for $address,x: Invalid argument" "$shared/images/dump.log"
	holds_address alpha
	end_load
	wire_saw alpha
	unguarded alpha
}

@test "the guard in the container's network does not go: said, and clean removes it" {
	start_boxed
	start_load 50 --interval-ms 10-30
	kernel_refuses REFUSE_REMOVE=1000000
	on alpha env IP_TAKEOVER_PUBLISHED=$address criu dump "${common[@]}" -t "$pid" -o dump.log --leave-running \
		--external "net[$(on alpha stat -L -c %i "/proc/$pid/ns/net")]:box" "${ours[@]}" 3>&-
	boxed alpha nft list ruleset | grep -q ip-takeover
	until_true 5 "alpha says so" on alpha sh -c "/src/build/ip-takeover status | grep \"cannot remove the guard.*in the container's network.*and it cuts the service off\""
	on alpha /src/build/ip-takeover clean
	end_load
	wire_saw alpha
	unguarded alpha
}
