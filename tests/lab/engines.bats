#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The lab's container engines by themselves: what they can do without us.

load helper
load engines

redis_in_docker() {
	on "$1" docker $2 --name redis --network host $image \
		redis-server --bind $address --protected-mode no --save ''
}

@test "two dockers: a container runs on one, and goes on from its checkpoint on the other" {
	local checkpoints
	start_docker alpha
	start_docker beta
	[ "$(on alpha docker images -q $image)" = "$(on beta docker images -q $image)" ]
	redis_in_docker alpha "run -d"
	until_true 10 "redis answers" on client redis-cli -h $address SET key there
	on alpha docker checkpoint create redis moved
	[ "$(on alpha docker inspect -f '{{.State.Status}}' redis)" = exited ]

	checkpoints=/var/lib/docker/containers/$(redis_in_docker beta create)/checkpoints
	on beta mkdir -p $checkpoints
	on alpha sh -c 'tar -C /var/lib/docker/containers/*/checkpoints -c moved' | on beta tar -C $checkpoints -x
	on alpha ip addr del $address/24 dev eth0
	on beta ip addr add $address/24 dev eth0
	on beta docker start --checkpoint moved redis
	on beta arping -q -c 1 -U -I eth0 $address
	[ "$(on client redis-cli -h $address GET key)" = there ]
}

@test "cgroups of a lab are its own, and go with it" {
	start_docker alpha
	redis_in_docker alpha "run -d"
	[ "$(on alpha sh -c 'cat /proc/$(pgrep -x redis-server)/cgroup' | sed -n 's/^0:://p')" = \
		"/docker/$(on alpha docker inspect -f '{{.Id}}' redis)" ]
	[ -n "$(find /sys/fs/cgroup -path "*/criu-ip-takeover-lab.$LAB/alpha/docker/*")" ]
	"$top/scripts/lab" down
	[ -z "$(find /sys/fs/cgroup -name "criu-ip-takeover-lab.$LAB")" ]
	"$top/scripts/lab" up
}

# What a takeover stands on: between the dump and the end of the old container nothing of it runs.
@test "a container that docker has paused does not run again for a dump that leaves it" {
	local id file size
	start_docker alpha
	id=$(on alpha docker run -d --name busy --network host $image sh -c 'while :; do echo >>/tmp/lines; done')
	file=/proc/$(on alpha docker inspect -f '{{.State.Pid}}' busy)/root/tmp/lines
	until_true 5 "it runs" on alpha test -s "$file"
	on alpha docker pause busy
	size=$(on alpha stat -c %s "$file")
	on alpha docker checkpoint create --leave-running busy by-docker
	on alpha runc --root /run/docker/runtime-runc/moby checkpoint --leave-running --image-path /shared/images "$id"
	[ "$(on alpha docker inspect -f '{{.State.Status}}' busy)" = paused ]
	[ "$(on alpha stat -c %s "$file")" = "$size" ]
	on alpha docker unpause busy
	until_true 5 "it runs again" on alpha sh -c "[ \$(stat -c %s $file) -gt $size ]"
}
