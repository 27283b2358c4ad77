# SPDX-License-Identifier: GPL-2.0-only
# Container engines in the lab's hosts, and an image with redis that they all take. To be
# loaded after helper.
# shellcheck disable=SC2154 # variables of helper

export LAB_WITH=containers
image=localhost/redis

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
	on "$host" mkdir -p /var/lib/docker /etc/docker
	on "$host" sh -c 'echo "{ \"experimental\": true }" >/etc/docker/daemon.json'
	on "$host" mount -t tmpfs tmpfs /var/lib/docker
	on "$host" sh -c "exec setsid --fork dockerd --log-level warn --exec-opt native.cgroupdriver=cgroupfs \
		$* </dev/null >/shared/logs/docker-$host.log 2>&1" 3>&-
	until_true 20 "docker on $host answers" on "$host" docker version
	on "$host" docker load -q -i /shared/redis.tar
}

# What criu said last under an engine, for tests that fail.
show_engine() {
	on "$1" find /run /var/lib /tmp \( -name dump.log -o -name restore.log -o -name 'criu-*.log' \) \
		-exec echo "== {}" \; -exec tail -n 25 {} \; 2>/dev/null
}

# prepare_runtime HOST RUNTIME: runc or crun by itself, whose criu loads our plugin, and a bundle
# with redis in /var/bundle.
prepare_runtime() {
	on "$1" mkdir -p /etc/criu /var/bundle/rootfs
	on "$1" sh -c "printf 'tcp-established\nnetwork-lock skip\nlibdir /src/build/plugin\n' >/etc/criu/$2.conf"
	on "$1" mount -t tmpfs tmpfs /var/bundle
	make_image
	on "$1" sh -c 'mkdir -p /var/bundle/rootfs /var/bundle/data && tar -xOf /shared/redis.tar layer.tar | tar -C /var/bundle/rootfs -x'
	on "$1" sh -c "cd /var/bundle && $2 spec && jq -c '$(bundle_of)' config.json >new && mv new config.json"
}

# What is changed in the configuration that `RUNTIME spec` makes, by jq: on the host's network, with
# no terminal, limit or controller, which a lab host has not.
bundle_of() {
	cat <<-END
		.process.args = ["redis-server", "--bind", "$address", "--protected-mode", "no", "--save", ""]
		| .process.terminal = false | .process.cwd = "/data" | .root.readonly = false
		| .process.capabilities |= map_values(["CAP_NET_BIND_SERVICE"])
		| del(.process.rlimits) | del(.linux.resources)
		| .linux.cgroupsPath = "/redis"
		| .linux.namespaces |= map(select(.type != "network" and .type != "cgroup"))
		| .mounts |= map(select(.type != "cgroup" and .type != "sysfs"))
		| .mounts += [{destination: "/data", type: "bind", source: "/var/bundle/data", options: ["bind", "rw"]}]
	END
}

# Sets up $pid: redis in the container "redis" of RUNTIME on alpha.
run_container() {
	on alpha sh -c "cd /var/bundle && setsid $1 run --detach --pid-file /run/redis.pid redis </dev/null >/dev/null 2>&1"
	# shellcheck disable=SC2034 # for those who load this
	pid=$(on alpha cat /run/redis.pid)
	# Whoever asks too soon gets an RST.
	until_true 10 "redis listens" on alpha sh -c 'ss -Hltn "sport = :6379" | grep -q .'
	until_true 10 "redis answers" on client redis-cli -h "$address" PING
}
