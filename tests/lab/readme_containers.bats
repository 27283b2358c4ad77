#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The README's way from two fresh hosts to a container that has moved, as typed there.

load helper
load engines

# Steps 1 and 2, on either host. The lab has the packages, and its own ip-takeover.conf.
install_on() {
	make -s -C "$top" install RUNTIMES=runc DESTDIR="$shared/installed" PREFIX=/usr/local >"$shared/install.out"
	on "$1" cp -r /shared/installed/usr/local/. /usr/local/
	on "$1" cp /shared/installed/etc/criu/runc.conf /etc/criu/runc.conf
	start_docker "$1"
}

# What docker and CRIU's own lock leave in the packet filter is theirs.
ours() { on "$1" sh -c 'nft list ruleset | grep ip-takeover'; }

@test "migrate --docker, with CRIU's lock as make install has it" {
	local host
	for host in alpha beta; do install_on $host; done
	grep -q 'tcp-established' "$shared/installed/etc/criu/runc.conf"
	on alpha ip addr del $address/24 dev eth0
	on alpha ip-takeover claim $address
	on alpha docker run -d --name redis --network host $image redis-server --bind $address --protected-mode no --save ''
	until_true 10 "redis answers" on client redis-cli -h $address SET key there
	start_load 100
	on alpha ip-takeover migrate --docker redis --to beta 3>&-
	[ "$(on client redis-cli -h $address GET key)" = there ]
	on beta ip-takeover migrate --docker redis --to alpha 3>&-
	end_load
	wire_saw alpha beta alpha
	for host in alpha beta; do
		until_true 15 "the keepers of $host end" no_keeper $host
		not ours $host
		not on $host sh -c 'nft list ruleset | grep CRIU'
	done
}

@test "arm, docker checkpoint create, a copy, docker start --checkpoint" {
	local host from to
	for host in alpha beta; do install_on $host; done
	on alpha docker run -d --name redis --network host $image redis-server --bind $address --protected-mode no --save ''
	until_true 10 "redis answers" on client redis-cli -h $address PING
	start_load 100
	on beta docker create --name redis --network host $image redis-server --bind $address --protected-mode no --save ''
	on alpha ip-takeover arm --docker redis
	on alpha docker checkpoint create redis moved
	not holds_address alpha
	from=/var/lib/docker/containers/$(on alpha docker inspect -f '{{.Id}}' redis)/checkpoints
	to=/var/lib/docker/containers/$(on beta docker inspect -f '{{.Id}}' redis)/checkpoints
	on alpha sh -c "tar -C $from -c moved | ssh beta 'mkdir -p $to && tar -C $to -x'" 3>&-
	on beta docker start --checkpoint moved redis
	end_load
	wire_saw alpha beta
}
