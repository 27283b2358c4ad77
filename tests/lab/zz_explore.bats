#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The addresses are keepalived's: a takeover goes through its track file, and VRRP.

load helper
load migrate
load faults
load keepalived

# In front of what the helper shows.
eval "lab_$(declare -f teardown)"
teardown() {
	[ -n "$BATS_TEST_COMPLETED" ] || show_keepalived
	lab_teardown
}

# third_node [PRIORITY]: gamma, keepalived in a network namespace of its own on the segment.
third_node() {
	local segment host
	read -r segment _ <"${shared%/shared}/segment.pid"
	read -r host _ <"${shared%/shared}/alpha.pid"
	unshare -n sleep 600 3>&- &
	gamma=$!
	until_true 5 "gamma is" test ! /proc/$gamma/ns/net -ef /proc/self/ns/net
	nsenter -t "$segment" -n ip link add gamma type veth peer name eth0 netns $gamma
	nsenter -t "$segment" -n ip link set gamma master segment up
	nsenter -t $gamma -n sh -c 'ip link set lo up; ip link set eth0 up; ip address add 192.0.2.4/24 dev eth0; ip address add 2001:db8::4/64 dev eth0 nodad'
	sed "s/priority .*/priority ${1:-100}/; s/ip-takeover.d\\/VI_1/ip-takeover.d\\/gamma/" "$shared/keepalived-alpha.conf" >"$shared/keepalived-gamma.conf"
	chmod 644 "$shared/keepalived-gamma.conf"
	nsenter -t "$host" -m -p --net=/proc/$gamma/ns/net setsid keepalived --vrrp --no-syslog -G -g/tmp/gamma.log \
		-f /shared/keepalived-gamma.conf -p /run/gamma.pid -r /run/gamma-vrrp.pid </dev/null >"$shared/gamma.out" 2>&1 3>&-
	until_true 5 "keepalived of gamma runs" on alpha test -s /run/gamma-vrrp.pid
}

end_third_node() {
	on alpha sh -c 'kill $(cat /run/gamma.pid)'
	kill $gamma
}

# gamma has never spoken for the address.
gamma_was_silent() {
	local mac
	mac=$(nsenter -t $gamma -n ip -br link show eth0 | awk '{ print $3 }')
	[ -z "$(nsenter -t $gamma -n ip -o address show to $address)" ]
	[ -z "$(on client tcpdump -nner /shared/capture "ether src $mac and src host $address")" ]
	not on alpha grep "Entering MASTER" /tmp/gamma_vrrp.log
}

eval "lab_$(declare -f setup)"; setup() { watched="host $address or arp or proto 112" lab_setup; }
@test "explore" {
	keepalived_on_both 252 251
	third_node 254
	start_redis
	start_load 50 --interval-ms 10-30
	migrate alpha beta
	migrate beta alpha
	sleep 2
	on alpha sh -c 'ls /tmp/*.log; cat /tmp/gamma*.log | tail -20; echo ALPHA; grep -v "Sending\|Printing" /tmp/keepalived_vrrp.log | tail -25; ' 
	echo BETA; on beta sh -c 'grep -v "Sending\|Printing" /tmp/keepalived_vrrp.log | tail -25'
	on alpha sh -c 'kill -USR1 $(cat /run/keepalived.pid); sleep 0.5; cat /tmp/keepalived.data | sed -n "/VRRP Topology/,/fd_in/p"'
	on client pkill -INT -x tcpdump
	on client sh -c "tcpdump -c 5 -nner /shared/capture; tcpdump -nner /shared/capture vrrp"; on alpha sh -c "ls -l /tmp; cat /proc/$(cat /run/gamma-vrrp.pid)/net/dev; cat /tmp/gamma_vrrp.log"
	false
}
