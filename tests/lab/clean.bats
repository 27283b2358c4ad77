#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# ip-takeover clean: what is left over goes, what is in use stays.

load helper

clean() { on "$1" /src/build/ip-takeover clean "${@:2}" >"$shared/said" 2>&1 || { cat "$shared/said"; return 1; }; cat "$shared/said"; }
said() { grep -q -- "$1" "$shared/said"; }
rules() { on "$1" nft list ruleset | sed 's/counter packets .* bytes [0-9]*//'; }

# killed_at STAGE: criu on alpha and its keeper with its worker die together.
killed_at() {
	cat >"$shared/killer" <<-END
	#!/bin/sh
	[ "\$CRTOOLS_SCRIPT_ACTION" = $1 ] || exit 0
	pkill -9 -x ip-takeover
	pkill -9 -x ip-takeover-wrk
	kill -9 "\$PPID"
	END
	chmod +x "$shared/killer"
	not dump none --action-script /shared/killer --action-script /src/build/criu-action
	until_true 5 "the keepers are dead" no_keeper alpha
}

@test "a clean host" {
	clean alpha
	said 'nothing to clean'
	exits 2 'usage' on alpha /src/build/ip-takeover clean everything
}

@test "keeper and criu killed before the address was withdrawn" {
	start_redis
	start_load 10 --interval-ms 10-30
	killed_at pre-dump
	before=$(rules alpha)
	clean alpha --dry-run
	said 'would remove takeover .* (source, prepared), whose keeper was killed'
	[ "$(rules alpha)" = "$before" ]
	clean alpha
	said 'removing takeover'
	no_journal alpha
	stayed
	clean alpha
	said 'nothing to clean'
}

@test "keeper and criu killed after it" {
	common=(--images-dir /shared/images -v4 --tcp-established --network-lock nftables)
	start_redis
	start_load 10 --interval-ms 10-30
	killed_at post-dump
	not holds_address alpha
	clean alpha
	said '(source, withdrawn)'
	no_journal alpha
	stayed
}

@test "nothing but rules: a guard, and CRIU's locks of connections that are nobody's" {
	on alpha nft -f - <<-'END'
	table ip ip-takeover-12345678-source {
		chain in {
			type filter hook prerouting priority raw
			ip daddr 192.0.2.100 drop
		}
	}
	table arp ip-takeover-12345678-source { }
	table inet CRIU-empty { }
	table inet CRIU-stale {
		set conns4 {
			type ipv4_addr . inet_service . ipv4_addr . inet_service
			elements = { 192.0.2.3 . 5000 . 192.0.2.200 . 80, 192.0.2.200 . 80 . 192.0.2.3 . 5000 }
		}
	}
	table inet CRIU-used {
		set conns4 {
			type ipv4_addr . inet_service . ipv4_addr . inet_service
			elements = { 192.0.2.3 . 5000 . 192.0.2.1 . 80, 192.0.2.1 . 80 . 192.0.2.3 . 5000 }
		}
	}
	table inet not-ours { }
	END
	on alpha iptables -I INPUT -p tcp -m mark ! --mark 0xc114 -s 192.0.2.3 --sport 5000 -d 192.0.2.200 --dport 80 -j DROP
	on alpha iptables -I OUTPUT -p tcp -m mark ! --mark 0xc114 -s 192.0.2.1 --sport 80 -d 192.0.2.3 --dport 5000 -j DROP
	on alpha ip6tables -I INPUT -p tcp -m mark ! --mark 0xc114 -s 2001:db8::3 --sport 5000 -d 2001:db8::200 --dport 80 -j DROP
	clean alpha
	said 'removing guard ip-takeover-12345678-source, which no journal names'
	said 'removing table inet CRIU-empty, CRIU.s lock of nothing'
	said 'removing table inet CRIU-stale, CRIU.s lock of 1 connections'
	said 'keeping table inet CRIU-used'
	said 'removing rule of iptables in INPUT, CRIU.s lock from 192.0.2.3 port 5000 to 192.0.2.200 port 80'
	said 'removing rule of iptables in INPUT, CRIU.s lock from 2001:db8::3 port 5000 to 2001:db8::200 port 80'
	said 'keeping rule of iptables in OUTPUT'
	[ "$(on alpha nft list tables | grep -c -e ip-takeover -e CRIU-empty -e CRIU-stale)" = 0 ]
	[ "$(on alpha nft list tables | grep -c -e CRIU-used -e not-ours)" = 2 ]
	[ "$(on alpha iptables -S | grep -c DROP)" = 1 ]
	[ "$(on alpha ip6tables -S | grep -c DROP)" = 0 ]
}

# As a criu leaves it that is killed while the service lives on.
@test "CRIU's lock of a connection that lives" {
	local port
	start_redis
	start_load 10 --interval-ms 10-30
	port=$(on alpha ss -Htn sport = 6379 | head -n 1 | sed 's/.*://; s/ *$//')
	on alpha iptables -I INPUT -p tcp -m mark ! --mark 0xc114 -s 192.0.2.3 --sport "$port" -d $address --dport 6379 -j DROP
	on alpha iptables -I OUTPUT -p tcp -m mark ! --mark 0xc114 -s $address --sport 6379 -d 192.0.2.3 --dport "$port" -j DROP
	clean alpha
	[ "$(grep -c "removing rule of iptables .* port $port" "$shared/said")" = 2 ]
	on alpha nft delete table ip filter
	stayed
}

@test "files that are left over" {
	on alpha mkdir -p /run/ip-takeover
	on alpha sh -c 'echo "{" >/run/ip-takeover/broken.json; echo "{" >/run/ip-takeover/old.json.tmp; touch -d -1hour /run/ip-takeover/old.json.tmp'
	on alpha python3 -c 'import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.bind("/run/ip-takeover/criu-99-5.sock")'
	clean alpha
	said 'removing /run/ip-takeover/broken.json, a journal that cannot be read'
	said 'removing /run/ip-takeover/old.json.tmp, half a journal'
	said 'removing /run/ip-takeover/criu-99-5.sock, on which no keeper listens'
	[ -z "$(on alpha ls /run/ip-takeover)" ]
}

@test "a keeper whose journal is gone" {
	start_redis
	start_load 10 --interval-ms 10-30
	dump plugin
	on alpha sh -c 'rm /run/ip-takeover/*.json'
	# Unless it has written it again, at a step of its own.
	clean alpha
	said 'removing keeper .* which has no journal'
	said 'removing guard'
	nothing_left alpha
	restore beta plugin
	moved
}

@test "a takeover under way keeps all that is its own" {
	cat >"$shared/wait" <<-'END'
	#!/bin/sh
	[ "$CRTOOLS_SCRIPT_ACTION" = "$(cat /shared/stage)" ] || exit 0
	: >"/shared/here-$CRTOOLS_SCRIPT_ACTION"
	until [ -e "/shared/go-$CRTOOLS_SCRIPT_ACTION" ]; do sleep 0.05; done
	END
	chmod +x "$shared/wait"
	common=(--images-dir /shared/images -v4 --tcp-established --network-lock nftables)
	local stage running
	start_redis
	start_load 100 --interval-ms 10-30
	echo post-dump >"$shared/stage"
	dump none --action-script /shared/wait --action-script /src/build/criu-action &
	running=$!
	until_true 10 "criu is at post-dump" test -e "$shared/here-post-dump"
	clean alpha
	said 'its keeper is at work'
	said "keeping CRIU's locks: a criu is at work"
	not said removing
	: >"$shared/go-post-dump"
	wait "$running"
	echo post-restore >"$shared/stage"
	restore beta none --action-script /shared/wait --action-script /src/build/criu-action &
	running=$!
	until_true 10 "criu is at post-restore" test -e "$shared/here-post-restore"
	clean beta
	said 'its keeper is at work'
	not said removing
	: >"$shared/go-post-restore"
	wait "$running"
	moved
}

@test "images of a move that was killed, with the process that looks after them" {
	load migrate
	load faults
	start_redis
	start_load 10 --interval-ms 10-30
	start_migrate dump ""
	until_true 20 "migrate has stopped" is_in_state migrate T
	clean alpha
	said 'keeping the images in /.*: a move is at work'
	on alpha pkill -9 -x ip-takeover-dir
	clean alpha
	said 'keeping the images in /.*: a move is at work'
	signal_to KILL migrate
	go_on
	wait "$mover" || :
	clean alpha --dry-run
	said 'would remove the images in /.*, whose move was killed'
	clean alpha
	said 'removing the images in /'
	not said keeping
	until_true 10 "no images are left" no_images alpha
	on alpha sh -c 'mkdir -m 700 /tmp/ip-takeover-images-kept-abcdef; mkdir /tmp/ip-takeover-images-abcdef'
	clean alpha
	said 'keeping the images in /tmp/ip-takeover-images-kept-abcdef: .* remove them'
	said 'nothing to clean'
	on alpha rmdir /tmp/ip-takeover-images-kept-abcdef /tmp/ip-takeover-images-abcdef
	stayed
}
