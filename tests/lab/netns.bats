#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A service in a network namespace of its own, with the address in there and nowhere else, as in
# a container: criu dumps it from outside and restores it inside.

load helper

# In the service's namespace, in the host's mount namespace.
inside() { on "$1" nsenter --net=/run/netns/svc "${@:2}"; }

# A macvlan on the host's device, known as eth0 in there.
namespaces() {
	local host
	for host in alpha beta; do
		on "$host" sh -c 'ip netns add svc && ip link add link eth0 name inside type macvlan mode bridge &&
			ip link set inside netns svc'
		inside "$host" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
			ip link set lo up && ip link set inside name eth0 up'
	done
	on alpha ip address del $address/24 dev eth0
	inside alpha ip address add $address/24 dev eth0
}

# What helper.bash looks for, in there.
holds_address() { inside "$1" ip -o address show to $address | grep -q "$address/"; }
mac_of() { inside "$1" ip -o link show eth0 | sed 's/.*link.ether \([^ ]*\).*/\1/'; }
nothing_left() {
	until_true 15 "the keepers of $1 end" no_keeper "$1"
	[ -z "$(on "$1" nft list ruleset)" ]
	[ -z "$(inside "$1" nft list ruleset)" ]
	on "$1" sh -c '! ls /run/ip-takeover | grep -v "json$"'
	[ -z "$(inside "$1" cat /proc/net/netfilter/nfnetlink_queue)" ]
	# Not outside.
	[ -z "$(on "$1" ip -o address show to $address)" ]
}

# start_inside HOST [NAMESPACE]: sets $pid, and $namespace as criu wants it.
start_inside() {
	on "$1" rm -f /run/redis.pid
	on "$1" nsenter --net="/run/netns/${2:-svc}" redis-server --bind $address --port 6379 --save '' --protected-mode no \
		--daemonize yes --dir /tmp --pidfile /run/redis.pid --logfile /tmp/redis.log >/dev/null
	until_true 10 "redis writes its pidfile" on "$1" test -s /run/redis.pid
	pid=$(on "$1" cat /run/redis.pid)
	namespace_of "$1"
}

namespace_of() { namespace=(--external "net[$(on "$1" stat -L -c %i "/proc/$pid/ns/net")]:svc"); }

busy() {
	namespaces
	start_inside alpha
	start_load "${1:-100}" --interval-ms 10-30
}

# dump_on HOST WAY [OPTION...]: from the host's namespace.
dump_on() {
	local host=$1 w
	w=$(way "$2")
	shift 2
	# shellcheck disable=SC2086
	on "$host" criu dump "${common[@]}" "${namespace[@]}" -t "$pid" -o dump.log $w "$@" 3>&-
}

# restore_inside HOST WAY [OPTION...]
restore_inside() {
	local host=$1 w
	w=$(way "$2")
	shift 2
	# shellcheck disable=SC2086
	inside "$host" bash -c 'exec 9</run/netns/svc && exec "$@"' sh criu restore "${common[@]}" -d -o restore.log \
		--inherit-fd 'fd[9]:svc' $w "$@" 3>&-
}

there_and_back() {
	busy
	dump_on alpha "$1"
	restore_inside beta "$1"
	owner_is beta
	rm -r "$shared/images"
	mkdir "$shared/images"
	namespace_of beta
	dump_on beta "$1"
	restore_inside alpha "$1"
	ends_at alpha via alpha beta alpha
}

@test "there and back, plugin" { there_and_back plugin; }
@test "there and back, scripts" { there_and_back scripts; }

# As a container's engine does it, which has its hands on the namespace.
@test "criu restores from outside, its keeper is told the namespace" {
	mkdir "$shared/bin"
	cp "$top/build/criu-action" "$shared/bin/"
	cat >"$shared/bin/ip-takeover" <<-'END'
	#!/bin/bash
	exec /src/build/ip-takeover "${@:1:7}" /run/netns/svc
	END
	chmod +x "$shared/bin/ip-takeover"
	busy
	dump_on alpha none --action-script /shared/bin/criu-action
	on beta bash -c 'exec 9</run/netns/svc && exec "$@"' sh criu restore "${common[@]}" -d -o restore.log \
		--inherit-fd 'fd[9]:svc' --action-script /shared/bin/criu-action 3>&-
	moved
	silent_before_claim
}

@test "status names the namespace" {
	busy 10
	dump_on alpha plugin
	says alpha 'in the network namespace /run/netns/svc: the process is gone; packets wait'
	[ "$(on alpha /src/build/ip-takeover status --json | jq '.[].netns.inode')" = \
		"$(on alpha stat -L -c %i /run/netns/svc)" ]
	restore_inside beta plugin
	moved
}

@test "a dump that leaves it running" {
	busy 10
	dump_on alpha plugin --leave-running
	stayed journal alpha
}

@test "back on alpha after a dump" {
	busy 10
	dump_on alpha plugin
	restore_inside alpha plugin
	stayed
}

# victims_die STAGE [COMMAND]: keeper and worker, together; and what COMMAND does.
victims_die() {
	cat >"$shared/killer" <<-END
	#!/bin/sh
	[ "\$CRTOOLS_SCRIPT_ACTION" = $1 ] || exit 0
	pkill -9 ip-takeover
	$2
	END
	chmod +x "$shared/killer"
}
killer=(--action-script /shared/killer --action-script /src/build/criu-action)

@test "keeper and worker killed before the dump ends: rollback from the host" {
	busy
	victims_die pre-dump
	not dump_on alpha none "${killer[@]}"
	says alpha 'in the network namespace .*keeper was killed'
	inside alpha nft list ruleset | grep -q ip-takeover
	forget alpha
	stayed
}

@test "keeper and worker killed when the address is off: rollback puts it back inside" {
	busy
	victims_die post-dump
	dump_on alpha none "${killer[@]}" --leave-running
	until_true 5 "alpha says that its keeper was killed" says alpha 'keeper was killed'
	not holds_address alpha
	forget alpha
	holds_address alpha
	[ -z "$(inside alpha nft list ruleset)" ]
	stayed
}

@test "the same, by clean" {
	busy 10
	victims_die post-dump
	dump_on alpha none "${killer[@]}" --leave-running
	until_true 5 "alpha says that its keeper was killed" says alpha 'keeper was killed'
	on alpha /src/build/ip-takeover clean
	stayed
}

# A guard that no journal names is looked for where clean is run.
@test "clean ends a keeper in there that has no journal, and in there removes its guard" {
	busy 10
	dump_on alpha plugin
	until_true 5 "alpha has committed" says alpha committed
	on alpha sh -c 'rm /run/ip-takeover/*.json'
	on alpha /src/build/ip-takeover clean
	no_keeper alpha
	inside alpha nft list ruleset | grep -q ip-takeover
	inside alpha /src/build/ip-takeover clean
	nothing_left alpha
	restore_inside beta plugin
	moved
}

@test "all of them killed on the destination: rollback from the host" {
	busy
	dump_on alpha plugin
	victims_die post-restore 'kill -9 "$PPID"'
	not restore_inside beta none "${killer[@]}"
	until_true 5 "beta says that its keeper was killed" says beta 'keeper was killed'
	holds_address beta
	forget beta
	is_clean beta
	restore_inside beta plugin
	moved
}

@test "a namespace that is gone leaves nothing to undo" {
	namespaces
	start_inside alpha
	victims_die post-dump
	dump_on alpha none "${killer[@]}" --leave-running
	until_true 5 "alpha says that its keeper was killed" says alpha 'keeper was killed'
	on alpha kill -9 "$pid"
	on alpha ip netns del svc
	until_true 5 "it is gone" says alpha 'in a network namespace that is gone'
	forget alpha
	on alpha sh -c '! ls /run/ip-takeover | grep .'
	[ -z "$(on alpha ip -o address show to $address)" ]
}

# Its number may be another's by then.
@test "nothing is undone in another namespace that has the number of one that is gone" {
	local journal
	busy 10
	victims_die post-dump
	dump_on alpha none "${killer[@]}" --leave-running
	until_true 5 "alpha says that its keeper was killed" says alpha 'keeper was killed'
	journal=$(on alpha sh -c 'ls /run/ip-takeover/*.json')
	on alpha cat "$journal" >"$shared/journal"
	on alpha ip netns add another
	jq ".netns.inode = $(on alpha stat -L -c %i /run/netns/another) | .netns.path = \"\"" "$shared/journal" |
		on alpha tee "$journal" >/dev/null
	forget alpha
	not holds_address alpha
	[ -z "$(on alpha nsenter --net=/run/netns/another ip -o address show to $address)" ]
	on alpha tee "$journal" <"$shared/journal" >/dev/null
	forget alpha
	stayed
}

# Left over in one namespace; an address of the same name moves in another.
@test "the same address in another namespace is another address" {
	namespaces
	on alpha sh -c 'ip netns add other && nsenter --net=/run/netns/other sh -c "ip link set lo up &&
		ip link add eth0 type veth peer name far && ip link set eth0 up && ip link set far up && ip address add 192.0.2.100/24 dev eth0"'
	start_inside alpha other
	victims_die pre-dump
	not dump_on alpha none "${killer[@]}"
	says alpha '/run/netns/other: the keeper was killed'
	on alpha kill -9 "$pid"
	until_true 5 "it has ended" no_process alpha
	rm -r "$shared/images"
	mkdir "$shared/images"
	start_inside alpha
	start_load 10 --interval-ms 10-30
	dump_on alpha plugin
	restore_inside beta plugin
	until_true 15 "alpha's keeper has ended" no_keeper alpha
	forget alpha
	moved
}

# Half restored, or just dumped, by a criu of its own.
@test "a process with the same address in another namespace, in repair mode, is left alone" {
	busy 10
	cat >"$shared/other.py" <<-'END'
	import os, signal, socket
	s = socket.socket()
	s.setsockopt(socket.IPPROTO_TCP, 19, 1)  # TCP_REPAIR
	s.bind(("192.0.2.100", 6379))
	signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
	open("/run/other.pid", "w").write(str(os.getpid()))
	signal.sigwait([signal.SIGTERM])
	open("/shared/in-repair", "w").write(str(s.getsockopt(socket.IPPROTO_TCP, 19)))
	END
	on beta sh -c 'ip netns add other && nsenter --net=/run/netns/other sh -c "ip link set lo up &&
		ip address add 192.0.2.100/32 dev lo && setsid -f python3 /shared/other.py </dev/null >/dev/null 2>&1"'
	until_true 10 "the other runs" on beta test -s /run/other.pid
	dump_on alpha plugin
	victims_die post-restore 'kill -9 "$PPID"'
	not restore_inside beta none "${killer[@]}"
	until_true 5 "beta says that its keeper was killed" says beta 'keeper was killed'
	forget beta
	restore_inside beta plugin
	on beta sh -c 'kill $(cat /run/other.pid)'
	until_true 5 "the other has ended" grep -q . "$shared/in-repair"
	[ "$(cat "$shared/in-repair")" = 1 ]
	moved
}

@test "a program of the user's works in the host's namespace" {
	local host
	cat >"$shared/move" <<-'END'
	#!/bin/sh
	echo "$(hostname) $1 $(stat -L -c %i /proc/self/ns/net) $(stat -L -c %i "$IP_TAKEOVER_NETNS")" >>/shared/called
	case $1 in
	claim) hostname >/shared/owner ;;
	withdraw) : >/shared/owner ;;
	status) [ "$(cat /shared/owner)" = "$(hostname)" ] ;;
	esac
	END
	chmod 755 "$shared/move"
	echo alpha >"$shared/owner"
	for host in alpha beta; do
		on "$host" sed -i 's|backend = "garp"|backend = "exec"; program = "/shared/move"|' /etc/criu/ip-takeover.conf
	done
	busy 10
	dump_on alpha plugin
	restore_inside beta plugin
	moved
	[ "$(cat "$shared/owner")" = beta ]
	cat "$shared/called"
	for host in "alpha withdraw" "beta claim"; do
		grep -q "^$host $(on "${host% *}" stat -L -c %i /proc/1/ns/net) $(on "${host% *}" stat -L -c %i /run/netns/svc)$" "$shared/called"
	done
}

@test "keepalived of the host cannot move it" {
	namespaces
	on alpha sed -i 's|backend = "garp"|backend = "keepalived"|' /etc/criu/ip-takeover.conf
	on alpha sh -c 'printf "global_defs {\n}\n" >/etc/keepalived/keepalived.conf
		exec setsid keepalived --vrrp --no-syslog --flush-log-file -g/tmp/keepalived.log </dev/null >/tmp/keepalived.out 2>&1'
	until_true 5 "keepalived runs" on alpha test -s /run/keepalived.pid
	start_inside alpha
	not dump_on alpha plugin
	grep -q 'is in a network namespace that keepalived is not in' "$shared/images/dump.log"
	answers_go_on
	holds_address alpha
	nothing_left alpha
}

@test "facts are those of the namespace" {
	busy 10
	on alpha /src/build/ip-takeover facts --pid "$pid" >"$shared/facts.json"
	jq -e '.connections == 10 and (.addresses | map(.address) == ["192.0.2.100/24"]) and .addresses[0].present' "$shared/facts.json"
	jq -e --arg mac "$(mac_of alpha)" '.macs == [$mac]' "$shared/facts.json"
	jq -e '.others == [] and (.ports | length == 1)' "$shared/facts.json"
}

@test "facts of processes in several namespaces are refused" {
	namespaces
	start_inside alpha
	on alpha setsid -f sleep 100 </dev/null >/dev/null 2>&1
	exits 1 'is in another network namespace than PID' on alpha /src/build/ip-takeover facts --pid "$pid" \
		--pid "$(on alpha pgrep -n -x sleep)"
}

# keeper NETNS: what a keeper says that was told to work there.
keeper() {
	on alpha python3 -c 'import socket, subprocess, sys
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
subprocess.run(["/src/build/ip-takeover", "keeper", "source", "1", "0", "/tmp", str(theirs.fileno()), "0",
	sys.argv[1]], pass_fds=[theirs.fileno()])
theirs.close()
print(ours.recv(4096)[4:].split(b"\0")[0].decode())' "$1"
}

@test "a keeper says which namespace it cannot enter" {
	[ "$(keeper /run/netns/none)" = 'cannot enter the network namespace /run/netns/none: No such file or directory' ]
	[ "$(keeper /etc/passwd)" = '/etc/passwd is no network namespace' ]
	[ "$(keeper /proc/1/ns/uts)" = '/proc/1/ns/uts is no network namespace' ]
	on alpha ip netns add svc
	[[ $(keeper /run/netns/svc) == 'no configured service address on this host has a socket'* ]]
}
