# SPDX-License-Identifier: GPL-2.0-only
# What every lab test uses: a lab, a busy redis on the service address, dump and
# restore through plugin or scripts, and the checks of a takeover's promises.

top=$(realpath "${BATS_TEST_DIRNAME:-$(dirname "${BASH_SOURCE[0]}")}/../..")
export LAB=test-$$
# shellcheck source=../../scripts/lab.d/service.bash
. "$top/scripts/lab.d/service.bash"

service=redis-server
load=

# Unlike a bare "!", this fails a test.
not() { ! "$@"; }

setup() {
	"$top/scripts/lab" up
	on client tcpdump -i eth0 --immediate-mode -B 65536 -U -s 128 -w /shared/capture "${watched:-host $address} or arp or icmp or icmp6" \
		2>"$shared/tcpdump.log" 3>&- &
	until_true 10 "tcpdump listens" grep -q listening "$shared/tcpdump.log"
	mkdir -p "$shared/images"
}

# exits STATUS TEXT CMD...: the exit status, and what is said on either output.
exits() {
	local status=0 want=$1 text=$2
	shift 2
	"$@" >"$shared/said" 2>&1 || status=$?
	cat "$shared/said"
	[ "$status" = "$want" ]
	grep -q -- "$text" "$shared/said"
}

show_engine() { :; }

# Shown by bats only when the test fails.
teardown() {
	local f host
	if [ -z "$BATS_TEST_COMPLETED" ]; then
		for f in "$shared"/{images,logs}/*.log "$shared"/images/ip-takeover*.json "$shared"/*.err; do
			[ -e "$f" ] && echo "== ${f##*/}" && tail -n 25 "$f"
		done
		for host in alpha beta; do
			echo "== $host"
			on "$host" /src/build/ip-takeover status
			on "$host" ip -br address show dev eth0
			on "$host" nft list ruleset
			on "$host" ps -e -o pid,stat,args
			show_engine "$host"
		done
	fi
	"$top/scripts/lab" down
}

# end_load: every connection lived and every answer was right.
end_load() {
	on client pkill -TERM -x takeover-load
	wait "$load" || { cat "$shared/load.err" "$shared/load.out"; return 1; }
	[ "$(field "$shared/load.json" reset)" = 0 ]
	[ "$(field "$shared/load.json" wrong)" = 0 ]
	[ "$(field "$shared/load.json" closed)" = 0 ]
	[ "$(field "$shared/load.json" unanswered)" = 0 ]
}

# Keepers linger for what still arrives, bounded; then nothing of ours is there.
nothing_left() {
	local host=$1
	until_true 15 "the keepers of $host end" no_keeper "$host"
	[ -z "$(on "$host" nft list ruleset)" ]
	on "$host" sh -c '! ls /run/ip-takeover | grep -v "json$"'
	[ -z "$(on "$host" cat /proc/net/netfilter/nfnetlink_queue)" ]
}

# The plugin where it cannot add the action script, as in CRIU before 3.19 under runc: criu is
# to have --libdir /shared/lone/plugin.
lone_plugin() {
	mkdir -p "$shared/lone/plugin"
	cp "$top/build/ip-takeover" "$shared/lone"
	cp "$top/build/plugin/ip_takeover_plugin.so" "$shared/lone/plugin"
}

no_journal() {
	[ "$(on "$1" /src/build/ip-takeover status)" = "no takeover on this host" ]
}

says() { on "$1" /src/build/ip-takeover status | grep -q -- "$2"; }

# What a person does about a takeover that has failed, by its only journal on HOST.
forget() {
	on "$1" /src/build/ip-takeover rollback "$(on "$1" /src/build/ip-takeover status --json | jq -er '.[].id')"
	no_journal "$1"
}

holds_address() { on "$1" ip -o address show to $address | grep -q "$address/"; }
mac_of() { on "$1" cat /sys/class/net/eth0/address; }
neighbour_is() { on client ip neigh show $address | grep -qi "lladdr $(mac_of "$1")"; }
who_has() { on client python3 /src/tests/services/who_has.py $address; }
no_process() { not on "$1" pgrep -x "$service"; }

# A host that has no part in the service (any more): no address, no process of it, not
# even a half-restored one, nothing of ours.
is_clean() {
	not holds_address "$1"
	until_true 5 "no $service is left on $1" no_process "$1"
	nothing_left "$1"
}

# RST and unreachable, in both families.
forbidden='tcp[tcpflags] & tcp-rst != 0 or icmp[icmptype] = icmp-unreach or
	(ip6 proto 6 and ip6[53] & 4 != 0) or (icmp6 and ip6[40] = 1)'

# The packets that nobody should have seen, and how the first one's connection ended.
tell_of() {
	local ports
	ports=$(sed -n 's/.*[.]\([0-9]*\) > .*[.]\([0-9]*\): Flags.*/tcp port \1 and tcp port \2/p' <<<"$1" | head -n 1)
	echo "$1"
	[ -z "$ports" ] || on client tcpdump -nnettr /shared/capture "$ports" 2>/dev/null | tail -n 20
}

# What the client's wire has seen: no RST, no unreachable, and the address spoken for by
# HOST... in this order, nobody else, nobody again. $spoken: what counts as that.
spoken=
wire_saw() {
	local host macs=() bad
	for host; do macs+=("$(mac_of "$host")"); done
	on client pkill -INT -x tcpdump
	until_true 5 "tcpdump ends" on client sh -c '! pgrep -x tcpdump'
	bad=$(on client tcpdump -nnettr /shared/capture "$forbidden" 2>/dev/null)
	[ -z "$bad" ] || tell_of "$bad"
	[ -z "$bad" ]
	bad=$(on client tcpdump -nnettr /shared/capture "${spoken:+$spoken and }src host $address" 2>/dev/null |
		awk '$2 != mac { if (NR > 1) print before; print; mac = $2 } { before = $0 }')
	[ "$(awk '{ print $2 }' <<<"$bad" | uniq | tr '\n' ' ')" = "${macs[*]} " ] || {
		echo "expected ${macs[*]}, changes:" "$bad"
		return 1
	}
}
# Nothing in beta's name leaves it before it has found that nobody else answers.
silent_before_claim() {
	local first
	first=$(on client tcpdump -ttnner /shared/capture \
		"ether src $(mac_of beta) and src host $address" 2>/dev/null | head -n 1 | cut -d' ' -f1)
	awk -v first="$first" -v claim="$(event restore 'nobody else')" \
		'BEGIN { exit !(first * 1000 >= claim - 0.5) }'
}

# The service answers new connections, too.
answers_go_on() {
	until_true 10 "redis answers" on client redis-cli -h $address -t 2 ping
}

# owner_is HOST: it alone has the address and the service, now.
owner_is() {
	local host
	holds_address "$1"
	answers_go_on
	[ "$(who_has)" = "$(mac_of "$1")" ]
	neighbour_is "$1"
	for host in alpha beta; do
		[ "$host" = "$1" ] || is_clean "$host"
	done
	nothing_left "$1"
}

# ends_at HOST via HOST... [journal HOST...]: what holds after every test. HOST is the owner,
# and its clients have noticed nothing; the hosts behind "via" have spoken for the address, in
# this order; those behind "journal" say what failed, until a person has read it; and nothing
# else is left.
ends_at() {
	local owner=$1 host words=via via=() journal=()
	shift
	for host; do
		case $host in
		via | journal) words=$host ;;
		*) eval "$words+=($host)" ;;
		esac
	done
	owner_is "$owner"
	[ -z "$load" ] || end_load
	for host in "${journal[@]}"; do forget "$host"; done
	no_journal alpha
	no_journal beta
	wire_saw "${via[@]}"
}

# After a takeover from alpha to beta, and after one that did not happen.
moved() { ends_at beta via alpha beta "$@"; }
stayed() { ends_at alpha via alpha "$@"; }
