# SPDX-License-Identifier: GPL-2.0-only
# A container's network by hand: 6379 of the service address leads into it.
# shellcheck disable=SC2154 # variables of helper
# shellcheck disable=SC2034 # for those who load this

# The capture begins before the test does.
family=ip subnet=24 gateway=198.51.100.1 inside=198.51.100.5 target=198.51.100.5 flags=()
if [[ ${BATS_TEST_NAME:-} == *IPv6* ]]; then
	address=2001:db8::100 family=ip6 subnet=64 gateway=2001:db8:88::1 inside=2001:db8:88::5
	target=[$inside] flags=(nodad)
fi

# boxed HOST CMD...: in the container's network.
boxed() { on "$1" nsenter --net=/run/netns/box "${@:2}"; }

# container HOST PORT: its network, and PORT to which 6379 of the service address leads.
container() {
	on "$1" ip netns add box
	on "$1" ip link add box0 type veth peer name eth0 netns box
	on "$1" ip address add "$gateway/$subnet" dev box0 "${flags[@]}"
	on "$1" ip link set box0 up
	boxed "$1" ip address add "$inside/$subnet" dev eth0 "${flags[@]}"
	boxed "$1" ip link set eth0 up
	boxed "$1" ip link set lo up
	boxed "$1" ip route add default via "$gateway"
	on "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	on "$1" nft "table $family published {
		chain in {
			type nat hook prerouting priority dstnat
			$family daddr $address tcp dport 6379 dnat to $target:$2
			$family daddr $address udp dport 6379 dnat to $target:$2
		}
		chain out {
			type nat hook postrouting priority srcnat
			oif box0 ${peer_becomes:-accept}
		}
	}"
}

# Sets up $pid: redis in alpha's container.
start_boxed() {
	container alpha 7000
	boxed alpha redis-server --bind "$inside" --port 7000 --save '' --protected-mode no \
		--daemonize yes --dir /tmp --pidfile /run/redis.pid --logfile /tmp/redis.log >/dev/null
	until_true 10 "redis writes its pidfile" on alpha test -s /run/redis.pid
	pid=$(on alpha cat /run/redis.pid)
}
