#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# ip-takeover check: what it finds, and that it leaves everything as it was.

load helper

check() { on "$1" /src/build/ip-takeover check "${@:2}"; }

# says STATE NAME TEXT: that line is among what `exits` has kept.
says() { grep -qE "^$1 +$2  .*$3" "$shared/said"; }

# remedy NAME TEXT: the remedy under that name's line.
remedy() { grep -E -A1 "^[a-z]+ +$1  " "$shared/said" | grep -qE -- "^ +-> .*$2"; }

all_ok() {
	exits 0 "" "$@"
	not grep -qvE '^ok ' "$shared/said"
}

configure() { on alpha tee /etc/criu/ip-takeover.conf >/dev/null; }

with_address() {
	printf 'addresses = ( { address = "%s"; device = "%s"; } );\n' "$1" "$2" | configure
}

# Everything that check could have changed; criu's own cache is criu's.
picture() {
	on "$1" sh -c 'ip -o link; ip -o address; ip route show table all; ip -6 route show table all
		nft list ruleset; cat /proc/net/netfilter/nfnetlink_queue; cat /proc/net/packet
		ls -A /run /tmp /run/ip-takeover 2>&1 | grep -v kdat; ps -e -o args= | grep -v "ps -e"' |
		sed 's/expires [0-9]*sec//'
}

@test "all is well on both hosts, and stays as it was" {
	local host before
	for host in alpha beta; do
		before=$(picture $host)
		all_ok check $host
		[ "$before" = "$(picture $host)" ]
		says ok "configuration" "2 addresses"
		says ok "device eth0" "up"
		says ok "guard" "packets are held"
		says ok "criu check" "works"
		says ok "plugin" "/src/build/plugin/ip_takeover_plugin.so"
		says ok "action script" "/src/build/criu-action"
		[ -z "$(on $host nft list ruleset)" ]
		[ -z "$(on $host cat /proc/net/netfilter/nfnetlink_queue)" ]
		[ -z "$(on $host ls -A /tmp)" ]
		not on $host test -e /run/ip-takeover
	done
	check beta | grep -q "192.0.2.100/24 *not here now"
	check alpha | grep -q "192.0.2.100/24 *here"
	on client pkill -INT -x tcpdump
	until_true 5 "tcpdump ends" on client sh -c '! pgrep -x tcpdump'
	[ -z "$(on client tcpdump -nr /shared/capture 'arp or host 192.0.2.100' 2>/dev/null)" ]
}

@test "--json agrees with the exit status" {
	check beta --json >"$shared/good.json"
	[ "$(field "$shared/good.json" ok)" = true ]
	[ "$(jq '[.checks[] | select(.state != "ok" or .remedy != "")] | length' "$shared/good.json")" = 0 ]
	not check client --json >"$shared/bad.json"
	[ "$(field "$shared/bad.json" ok)" = false ]
	[ "$(jq -r '.checks[] | select(.state == "no") | .name' "$shared/bad.json")" = configuration ]
	[ "$(jq '[.checks[] | select(.name and .what and (.remedy | type == "string"))] | length' "$shared/bad.json")" = \
		"$(jq '.checks | length' "$shared/bad.json")" ]
}

@test "no configuration, a wrong one, one that others may write" {
	exits 1 "" check client
	says no configuration "ip-takeover.conf: No such file"
	remedy configuration 'addresses = \('
	printf 'addresses = (\n\t{ address = "192.0.2.100/24"; devise = "eth0"; }\n);\n' | configure
	exits 1 "" check alpha
	says no configuration "ip-takeover.conf:2: expected .*device"
	printf '\377\033[31m' | configure
	not check alpha --json >"$shared/bad.json"
	[ "$(field "$shared/bad.json" ok)" = false ]
	with_address 192.0.2.100/24 eth0
	all_ok check alpha
	on alpha chmod 666 /etc/criu/ip-takeover.conf
	exits 1 "" check alpha
	says no configuration "others than root may write it"
}

@test "a device that is missing, down, or no Ethernet" {
	with_address 192.0.2.100/24 eth7
	exits 1 "" check alpha
	says no "device eth7" "no such device"
	remedy "device eth7" "ip link"
	with_address 192.0.2.100/24 lo
	exits 1 "" check alpha
	says no "device lo" "no Ethernet"
	with_address 192.0.2.100/24 eth0
	on alpha ip link set eth0 down
	exits 1 "" check alpha
	says no "device eth0" "is down"
	remedy "device eth0" "ip link set eth0 up"
	on alpha ip link set eth0 up
	until_true 10 "eth0 has its carrier again" check alpha
	all_ok check alpha
}

@test "an address outside of the device's subnets, on another device, of a disabled family" {
	with_address 198.51.100.7/24 eth0
	exits 0 "" check alpha
	says warning "address 198.51.100.7/24" "eth0 has no address in its subnet"
	remedy "address 198.51.100.7/24" "correct the prefix length"
	with_address 198.51.100.7/32 eth0
	all_ok check alpha
	on alpha ip link add other type veth peer name others
	on alpha ip link set other up
	with_address 192.0.2.100/24 other
	exits 1 "" check alpha
	says no "address 192.0.2.100/24" "on another device than other"
	with_address 2001:db8::100/64 eth0
	on alpha sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
	exits 1 "" check alpha
	says no "address 2001:db8::100/64" "IPv6 is disabled on eth0"
	remedy "address 2001:db8::100/64" "disable_ipv6=0"
}

@test "criu is missing, is no criu, is too old, does not work" {
	local way
	exits 1 "" on alpha env PATH=/nowhere /src/build/ip-takeover check
	says no criu "criu: No such file"
	remedy criu "install CRIU 3.17 or newer"
	says warning "criu check" "not tried without criu"
	says warning plugin "not tried without criu"
	all_ok on alpha env PATH=/nowhere /src/build/ip-takeover check --criu /usr/sbin/criu
	exits 1 "" check alpha --criu /bin/true
	says no criu "/bin/true does not say its version"
	exits 1 "" check alpha --criu /etc
	says no criu "/etc does not say its version: Permission denied"
	printf '#!/bin/sh\necho Version: 3.16.1\n' >"$shared/criu"
	chmod 755 "$shared/criu"
	exits 1 "" check alpha --criu /shared/criu
	says no criu "3.16.1 is too old"
	for way in "Error (criu/vdso.c:381): vdso: Unexpected rt vDSO area bounds" \
		"Error (criu/kerndat.c:1): nothing works"; do
		printf '#!/bin/sh\necho Version: 3.17.1\n[ "$1" = --version ] || { echo "%s" >&2; exit 1; }\n' \
			"$way" >"$shared/criu"
		exits 1 "" check alpha --criu /shared/criu
		says no "criu check" "${way##*: }"
		says no plugin "${way##*: }"
	done
	remedy "criu check" "criu check -v4"
	exits 1 "-> install a newer CRIU: this one does not know this kernel's vDSO" \
		on alpha sh -c 'sed -i "s/nothing works/no vdso/" /shared/criu && /src/build/ip-takeover check --criu /shared/criu'
}

@test "a criu that says too much, and leaves its output to another" {
	printf '#!/bin/sh\nhead -c 3000000 /dev/zero\nsleep 1000 &\necho Version: 4.0\n' >"$shared/criu"
	chmod 755 "$shared/criu"
	exits 1 "" check alpha --criu /shared/criu
	says no criu "does not say its version"
}

@test "a signal waits until what check has made is gone" {
	printf '%s\n' '#!/bin/sh' 'echo Version: 4.0' '[ "$1" != dump ] || { ls -d /tmp/*; kill -TERM "$PPID"; } >/shared/scratch' \
		>"$shared/criu"
	chmod 755 "$shared/criu"
	exits 143 "" check alpha --criu /shared/criu
	grep ip-takeover-check "$shared/scratch"
	[ -z "$(on alpha ls -A /tmp)" ]
}

@test "iptables of either kind, or none" {
	mkdir "$shared/bin"
	all_ok on alpha env PATH=/shared/bin /src/build/ip-takeover check --criu /usr/sbin/criu
	says ok iptables "not found"
	printf '#!/bin/sh\necho "iptables v1.8.9 (legacy)"\n' >"$shared/bin/iptables"
	chmod 755 "$shared/bin/iptables"
	all_ok on alpha env PATH=/shared/bin /src/build/ip-takeover check --criu /usr/sbin/criu
	says ok iptables "\(legacy\): .*nft does not list"
}

@test "a plugin that is none, one that cannot start the command, none at all" {
	mkdir -p "$shared/tree/plugin"
	cp "$top/build/ip-takeover" "$top/build/criu-action" "$shared/tree"
	exits 1 "" on alpha /shared/tree/ip-takeover check
	says no plugin "not beside ip-takeover"
	echo text >"$shared/tree/plugin/ip_takeover_plugin.so"
	exits 1 "" on alpha /shared/tree/ip-takeover check
	says no plugin "Unable to load /shared/tree/plugin/ip_takeover_plugin.so"
	cp "$top/build/plugin/ip_takeover_plugin.so" "$shared/tree/plugin"
	all_ok on alpha /shared/tree/ip-takeover check
	mv "$shared/tree/ip-takeover" "$shared/tree/check"
	exits 1 "" on alpha /shared/tree/check check
	says no plugin "cannot start ip-takeover from beside"
	rm "$shared/tree/criu-action"
	mv "$shared/tree/check" "$shared/tree/ip-takeover"
	exits 1 "" on alpha /shared/tree/ip-takeover check
	says no "action script" "No such file"
	install -m 644 "$top/build/criu-action" "$shared/tree"
	exits 1 "" on alpha /shared/tree/ip-takeover check
	says no "action script" "Permission denied"
	[ -z "$(on alpha ls -A /tmp)" ]
}

@test "as make install puts it" {
	make -s -C "$top" install DESTDIR="$shared/installed" PREFIX=/usr/local
	on alpha cp -r /shared/installed/usr/local/. /usr/local/
	all_ok on alpha ip-takeover check
	says ok plugin /usr/local/lib/criu-ip-takeover/ip_takeover_plugin.so
	says ok "action script" /usr/local/libexec/criu-ip-takeover/criu-action
}

@test "as anyone, and as a root without capabilities" {
	exits 1 "" on alpha setpriv --reuid 65534 --regid 65534 --clear-groups /src/build/ip-takeover check
	says no privileges "user 65534, not root"
	says ok configuration ""
	says ok "address 192.0.2.100/24" "here"
	says ok criu "[34]\."
	says warning guard "not tried without root"
	says warning plugin "not tried without root"
	exits 1 "" on alpha setpriv --bounding-set -net_admin,-net_raw /src/build/ip-takeover check
	says no privileges "root without CAP_NET_ADMIN CAP_NET_RAW"
	says no "device eth0" "cannot open a packet socket"
	says no TCP_REPAIR "refused"
	[ -z "$(on alpha ls -A /tmp)" ]
}

@test "by a parent that ignores SIGCHLD" {
	all_ok on alpha env --ignore-signal=CHLD /src/build/ip-takeover check
}

@test "what a killed keeper has left, and /run/ip-takeover that is no directory" {
	local id=01234567-89ab-cdef-0123-456789abcdef
	on alpha mkdir -m 700 /run/ip-takeover
	all_ok check alpha
	on alpha tee /run/ip-takeover/$id-source.json >/dev/null <<-END
	{ "id": "$id", "role": "source", "state": "rolled back", "message": "", "criu_pid": 999998,
	  "root_pid": 0, "keeper_pid": 999999, "socket": "/run/ip-takeover/criu-999998-1.sock",
	  "guard": "01234567-source", "addresses": [ { "address": "192.0.2.100/24", "device": "eth0", "was_here": false } ] }
	END
	exits 0 "" check alpha
	says warning /run/ip-takeover "without a keeper: $id \(rolled back\)"
	remedy /run/ip-takeover "ip-takeover clean"
	on alpha /src/build/ip-takeover clean
	all_ok check alpha
	on alpha sh -c 'rmdir /run/ip-takeover && touch /run/ip-takeover'
	exits 1 "" check alpha
	says no /run/ip-takeover ""
}

# The queue of a takeover on this host loses nothing by it.
@test "while a takeover holds packets" {
	local held before
	start_redis
	start_load 20 --interval-ms 10-30
	dump plugin
	held() { on alpha awk '{ n += $3 } END { print n + 0 }' /proc/net/netfilter/nfnetlink_queue; }
	some_held() { [ "$(held)" -gt 0 ]; }
	until_true 10 "packets are held" some_held
	before=$(held)
	all_ok check alpha
	all_ok check beta
	[ "$(held)" -ge "$before" ]
	restore beta plugin
	moved
}

@test "usage" {
	exits 2 "usage: ip-takeover check" check alpha this
	exits 2 "nonsense" check alpha --nonsense
	exits 2 "requires an argument" check alpha --criu
}
