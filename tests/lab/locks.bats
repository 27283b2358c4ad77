#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# CRIU's own locks beside our guard, without --network-lock skip: none is left.

load helper

# busy METHOD
busy() {
	common=(--images-dir /shared/images -v4 --tcp-established --network-lock "$1")
	start_redis
	start_load 100 --interval-ms 10-30
}

locked() { on "$1" sh -c 'nft list ruleset | grep -q -e CRIU- -e c114'; }

# no_lock HOST: nor what iptables makes for its first rule and never removes.
no_lock() {
	not locked "$1"
	on "$1" nft delete table ip filter 2>/dev/null || :
	on "$1" nft delete table ip6 filter 2>/dev/null || :
}

moves() {
	busy "$1"
	dump plugin
	locked alpha
	grep -q 'ip-takeover:.*--network-lock skip' "$shared/images/dump.log"
	restore beta plugin
	until_true 15 "alpha's keepers end" no_keeper alpha
	no_lock alpha
	moved
}

@test "iptables" { moves iptables; }
@test "nftables" { moves nftables; }

there_and_back() {
	busy "$1"
	dump scripts
	restore beta scripts
	# Their keepers leave a record there when they end.
	until_true 15 "alpha's keepers end" no_keeper alpha
	until_true 15 "beta's keepers end" no_keeper beta
	rm -r "$shared/images"
	mkdir "$shared/images"
	on beta criu dump "${common[@]}" -t "$pid" -o dump.log --libdir /src/build/plugin
	restore alpha plugin
	until_true 15 "beta's keepers end" no_keeper beta
	no_lock alpha
	no_lock beta
	holds_address alpha
	not holds_address beta
	end_load
	nothing_left alpha
	nothing_left beta
	wire_saw alpha beta alpha
}

@test "there and back, iptables" { there_and_back iptables; }
@test "there and back, nftables" { there_and_back nftables; }

restored_where_it_was() {
	busy "$1"
	dump plugin
	restore alpha plugin
	until_true 15 "alpha's keepers end" no_keeper alpha
	no_lock alpha
	stayed
}

@test "restored where it was, iptables" { restored_where_it_was iptables; }
@test "restored where it was, nftables" { restored_where_it_was nftables; }

# The service would hear none of its clients.
criu_is_killed() {
	cat >"$shared/killer" <<-'END'
	#!/bin/sh
	[ "$CRTOOLS_SCRIPT_ACTION" = post-dump ] && kill -9 "$PPID"
	exit 0
	END
	chmod +x "$shared/killer"
	busy "$1"
	not dump scripts --action-script /shared/killer
	until_true 15 "alpha's keepers end" no_keeper alpha
	no_lock alpha
	stayed journal alpha
}

@test "criu is killed, iptables" { criu_is_killed iptables; }
@test "criu is killed, nftables" { criu_is_killed nftables; }

# Another service's connection, locked by another criu; and no lock of CRIU's at all.
@test "a lock that is not ours stays" {
	busy nftables
	on alpha nft -f - <<-'END'
	table inet CRIU-another {
		set conns4 {
			type ipv4_addr . inet_service . ipv4_addr . inet_service
			elements = { 192.0.2.3 . 5000 . 192.0.2.1 . 80 }
		}
	}
	END
	on alpha iptables -I INPUT -p tcp -m mark ! --mark 0xc114 -s 192.0.2.100 --sport 5000 -d 192.0.2.1 --dport 80 -j DROP
	on alpha iptables -I INPUT -p tcp -s 192.0.2.3 --sport 1 -d 192.0.2.100 --dport 1 -j DROP
	dump plugin
	restore beta plugin
	until_true 15 "alpha's keepers end" no_keeper alpha
	[ "$(on alpha nft list tables | grep -c CRIU-)" = 1 ]
	[ "$(on alpha iptables -S INPUT | grep -c DROP)" = 2 ]
	on alpha nft flush ruleset
	moved
}
