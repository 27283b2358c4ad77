# SPDX-License-Identifier: GPL-2.0-only
# Container engines in the lab's hosts, and an image with redis that they all take. To be
# loaded after helper.
# shellcheck disable=SC2154 # variables of helper

export LAB_WITH=containers
image=localhost/redis

# Of what an engine makes on HOST; `lab down` removes it. Cgroups are the machine's, not the host's.
cgroup_parent() { echo "/criu-ip-takeover-lab/$LAB/$1"; }

# Sets up $shared/redis.tar, for `docker load` and `podman load`.
make_image() {
	[ -e "$shared/redis.tar" ] ||
		on client sh -c "/src/scripts/lab.d/image $image >/shared/redis.new && mv /shared/redis.new /shared/redis.tar"
}

# start_docker HOST [OPTION...]: a dockerd of its own that has $image. It ends with the lab; a
# failing test shows its log.
start_docker() {
	local host=$1
	shift
	make_image
	mkdir -p "$shared/logs"
	# overlay2 does not go on top of overlayfs.
	on "$host" mkdir -p /var/lib/docker
	on "$host" mount -t tmpfs tmpfs /var/lib/docker
	on "$host" sh -c "exec setsid --fork dockerd --experimental --log-level warn --exec-opt native.cgroupdriver=cgroupfs \
		--cgroup-parent $(cgroup_parent "$host") $* </dev/null >/shared/logs/docker-$host.log 2>&1" 3>&-
	until_true 20 "docker on $host answers" on "$host" docker version
	on "$host" docker load -q -i /shared/redis.tar
}

# What criu said last under an engine, for tests that fail.
show_engine() {
	on "$1" find /run /var/lib /tmp \( -name dump.log -o -name restore.log -o -name 'criu-*.log' \) \
		-exec echo "== {}" \; -exec tail -n 25 {} \; 2>/dev/null
}
