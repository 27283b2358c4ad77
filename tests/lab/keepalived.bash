# SPDX-License-Identifier: GPL-2.0-only
# For keepalived.bats: the service addresses are keepalived's on alpha and beta.
# shellcheck disable=SC2154,SC2034,SC2016,SC2086 # variables of, and for, helper.bash

address6=2001:db8::100
# keepalived announces the address wherever VRRP puts it, before the service is there, and
# when it does not come: only what the service itself says tells who has it.
spoken=ip
watched="host $address or ip proto 112 or ip6 proto 112"

# instance NAME VRID ADDRESS... [-- LINE...]: of keepalived.conf, with $priority.
instance() {
	local name=$1 vrid=$2 ips=()
	shift 2
	while [ $# -gt 0 ] && [ "$1" != -- ]; do ips+=("$1"); shift; done
	[ $# -eq 0 ] || shift
	printf 'vrrp_instance %s {\n    state BACKUP\n    nopreempt\n    interface eth0\n' "$name"
	printf '    virtual_router_id %s\n    priority %s\n    advert_int 1\n' "$vrid" "$priority"
	printf '    virtual_ipaddress {\n        %s\n    }\n' "${ips[0]}"
	if [ ${#ips[@]} -gt 1 ]; then
		printf '    virtual_ipaddress_excluded {\n'
		printf '        %s\n' "${ips[@]:1}"
		printf '    }\n'
	fi
	printf '    %s\n' "$@"
	printf '    track_file {\n        ip-takeover\n    }\n}\n'
}

# One instance with both addresses; a test may say something else.
instances() { instance VI_1 51 "$address/24" "$address6/64"; }

# configure HOST PRIORITY
configure() {
	local priority=$2
	{
		printf 'global_defs {\n    router_id %s\n}\n' "$1"
		printf 'track_file ip-takeover {\n    file /run/ip-takeover.d/VI_1\n    weight 0\n    init_file 0\n}\n'
		instances
	} >"$shared/keepalived-$1.conf"
	on "$1" sh -c "mkdir -p /run/ip-takeover.d; install -m 644 /shared/keepalived-$1.conf /etc/keepalived/keepalived.conf"
	printf 'addresses = (\n\t{ address = "%s/24"; device = "eth0"; backend = "keepalived"; },\n\t{ address = "%s/64"; device = "eth0"; backend = "keepalived"; }\n);\n' \
		"$address" "$address6" | on "$1" tee /etc/criu/ip-takeover.conf >/dev/null
}

# start_keepalived HOST
start_keepalived() {
	on "$1" sh -c 'exec setsid keepalived --vrrp --log-detail --no-syslog --flush-log-file -g/tmp/keepalived.log </dev/null >/tmp/keepalived.out 2>&1'
	until_true 5 "keepalived of $1 runs" on "$1" test -s /run/vrrp.pid
}

stop_keepalived() {
	on "$1" sh -c 'kill $(cat /run/keepalived.pid)'
	until_true 5 "keepalived of $1 ends" on "$1" test ! -e /run/keepalived.pid
}

holds_both() { holds_address "$1" && on "$1" ip -o address show to $address6 | grep -q "$address6/"; }

beta_priority=253

# keepalived_on_both [PRIORITY PRIORITY]: alpha is master.
# shellcheck disable=SC2120 # by tests
keepalived_on_both() {
	on alpha ip address del "$address/24" dev eth0
	on alpha ip address del "$address6/64" dev eth0
	configure alpha "${1:-254}"
	configure beta "${2:-$beta_priority}"
	start_keepalived alpha
	until_true 10 "alpha has the address" holds_address alpha
	start_keepalived beta
	until_true 10 "beta knows its master" on beta sh -c 'kill -USR1 $(cat /run/keepalived.pid); grep -q "State = BACKUP" /tmp/keepalived.data'
}

# Were both to wait for a master, alpha would always be the first.
alpha_first() { beta_priority=150; }

alpha_never_had_it_again() {
	not on alpha sh -c 'sed "1,/Entering FAULT/d" /tmp/keepalived_vrrp.log | grep "Entering MASTER"'
}

track_file_is() { [ "$(on "$1" cat /run/ip-takeover.d/VI_1)" = "$2" ]; }

# What every test ends with: neither instance is held down.
no_fault() {
	local host
	for host in alpha beta; do
		until_true 10 "the instance of $host may be a backup" track_file_is "$host" 0
	done
}

show_keepalived() {
	local host
	for host in alpha beta; do
		echo "== keepalived of $host"
		on "$host" grep -v "Sending\|Printing" /tmp/keepalived_vrrp.log || :
	done
}

# In front of what the helper shows; the bench has none. A mover that a test has stopped goes on.
eval "lab_$(declare -f teardown || echo 'teardown() { :; }')"
teardown() {
	! declare -F go_on >/dev/null || go_on
	[ -n "$BATS_TEST_COMPLETED" ] || show_keepalived
	lab_teardown
}

# With keepalived, in place of faults.bash's.
busy() {
	# shellcheck disable=SC2119
	keepalived_on_both
	start_redis
	answers_go_on
	start_load 20 --interval-ms 10-30
}

# killed SIDE STEP VICTIM
killed() {
	fault "$@"
	no_fault
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
	nsenter -t "$host" -m -p --net=/proc/$gamma/ns/net setsid keepalived --vrrp --no-syslog -g/tmp/gamma.log \
		-f /shared/keepalived-gamma.conf -p /run/gamma.pid -r /run/gamma-vrrp.pid </dev/null >"$shared/gamma.out" 2>&1 3>&-
	until_true 5 "keepalived of gamma runs" on alpha test -s /run/gamma-vrrp.pid
}

end_third_node() {
	on alpha sh -c 'kill $(cat /run/gamma.pid)'
	kill $gamma
}

# seen FILTER: lines of the capture.
seen() { on client tcpdump -nner /shared/capture "$1" 2>/dev/null; }

# gamma has neither spoken for the address nor advertised, which others have.
gamma_was_silent() {
	local mac vrrp="ip proto 112 or ip6 proto 112"
	mac=$(nsenter -t $gamma -n ip -br link show eth0 | awk '{ print $3 }')
	[ -z "$(nsenter -t $gamma -n ip -o address show to $address)" ]
	[ -n "$(seen "ether src $(mac_of alpha) and ($vrrp)")" ]
	[ -z "$(seen "ether src $mac and (src host $address or $vrrp)")" ]
}

# For a test to say something else.
before_it_moves() { :; }

# meanwhile SIDE STEP HOST CMD...: done on HOST while migrate has stopped at STEP of SIDE. Then
# one owner, and no reset.
meanwhile() {
	local side=$1 step=$2 host=$3
	shift 3
	keepalived_on_both
	before_it_moves
	start_redis
	answers_go_on
	start_load 20 --interval-ms 10-30
	stopped_at "$side" "$step"
	"$@"
	if [ "$side" = source ]; then go_on_from migrate; else go_on_from receive; fi
	go_on
	over 60
	wait "$mover" || :
	cat "$shared/migrate.err"
	[ "$host" = none ] || start_keepalived "$host"
}

# Its addresses stay: a child that outlived its parent would take them off, and its parent would
# start another one.
kill_keepalived() {
	on "$1" sh -c 'kill -STOP $(cat /run/keepalived.pid)
		kill -KILL $(cat /run/vrrp.pid)
		kill -KILL $(cat /run/keepalived.pid)
		rm /run/keepalived.pid /run/vrrp.pid'
}

# As by a supervisor, at once.
restarted() {
	kill_keepalived "$1"
	start_keepalived "$1"
}

reload() { on "$1" sh -c 'kill -HUP $(cat /run/keepalived.pid)'; }
restart() {
	stop_keepalived "$1"
	start_keepalived "$1"
}
