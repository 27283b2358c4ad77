# SPDX-License-Identifier: GPL-2.0-only
# Podman, and the runtimes below it by themselves, in the lab's hosts, with redis in a container
# named redis. To be loaded after helper and engines.
# shellcheck disable=SC2154 # variables of helper and engines

container=redis
in_container=(redis-server --bind 0.0.0.0 --protected-mode no --save '')
archive=/shared/redis.checkpoint
oci_images=/shared/images
oci_logs=/shared/logs

# prepare_podman HOST RUNTIME: a podman of its own that has $image; it ends with the lab.
prepare_podman() {
	local host=$1 runtime=$2
	make_image
	# Its overlay does not go on top of overlayfs.
	on "$host" mkdir -p /var/lib/containers /etc/containers
	on "$host" mount -t tmpfs tmpfs /var/lib/containers
	# The host's cgroup has no controllers, so there are no limits to set.
	on "$host" tee /etc/containers/containers.conf >/dev/null <<-END
	[containers]
	default_ulimits = []
	pids_limit = 0
	[engine]
	cgroup_manager = "cgroupfs"
	events_logger = "file"
	retry = 0
	runtime = "$runtime"
	END
	on "$host" tee /etc/containers/policy.json >/dev/null <<<'{"default": [{"type": "insecureAcceptAnything"}]}'
	on "$host" podman load -q -i /shared/redis.tar
}

# macvlan_network HOST: podman's network "lan", whose containers are on the lab's segment.
macvlan_network() {
	on "$1" podman network create -d macvlan -o parent=eth0 --subnet 192.0.2.0/24 lan
}

# bridge_network HOST: podman's network "inner", for containers with published ports.
bridge_network() {
	on "$1" podman network create --disable-dns --subnet 198.51.100.0/24 inner
}

# netns_network HOST: the network namespace "service" with a macvlan that has the same MAC
# everywhere, and no address yet.
netns_network() {
	on "$1" ip netns add service
	on "$1" ip link add lan0 link eth0 address 02:00:00:00:00:64 netns service type macvlan mode bridge
	on "$1" ip -n service link set lo up
	on "$1" ip -n service link set lan0 up
}

# criu_config HOST RUNTIME LINE...: what criu reads when this runtime starts it.
criu_config() {
	local host=$1 runtime=$2
	shift 2
	printf '%s\n' "$@" | on "$host" tee "/etc/criu/$runtime.conf" >/dev/null
}

podman_says() { on "$1" podman logs $container 2>&1 | grep -q -- "$2"; }

# run_podman HOST OPTION...
run_podman() {
	local host=$1
	shift
	on "$host" podman run -d --name $container "$@" "$image" "${in_container[@]}"
	until_true 10 "redis in its container is ready" podman_says "$host" "Ready to accept"
}

# What podman itself can do: the archive has all but the image.
podman_checkpoint() {
	on "$1" podman container checkpoint --tcp-established --compress none --export $archive "${@:2}" $container
}
podman_restore() {
	on "$1" podman container restore --tcp-established --import $archive "${@:2}"
}

container_state() { on "$1" podman container inspect -f '{{.State.Status}}' $container; }

# The container's cgroup on HOST, where the freezer is.
podman_cgroup() {
	echo "/sys/fs/cgroup/libpod_parent/libpod-$(on "$1" podman container inspect -f '{{.Id}}' $container)"
}

# prepare_bundle HOST RUNTIME: /bundle, for a container on the host's network.
prepare_bundle() {
	local host=$1 runtime=$2
	make_image
	on "$host" sh -euc 'mkdir -p /bundle/rootfs
		tar -C /bundle -xf /shared/redis.tar layer.tar
		tar -C /bundle/rootfs -xf /bundle/layer.tar
		rm /bundle/layer.tar'
	# Without a network namespace of its own a container cannot have a sysfs of its own.
	on "$host" "$runtime" spec --bundle /bundle
	# shellcheck disable=SC2016 # jq's own variable
	on "$host" jq '.process.terminal = false | .process.args = $ARGS.positional | .root.readonly = false |
		del(.process.rlimits, .linux.resources) |
		.linux.namespaces |= map(select(.type != "network")) |
		.mounts |= map(select(.destination != "/sys/fs/cgroup") | if .destination == "/sys"
			then .type = "none" | .source = "/sys" | .options = ["rbind", "nosuid", "noexec", "nodev", "ro"]
			else . end)' /bundle/config.json --args -- "${in_container[@]}" >"$shared/config.json"
	on "$host" cp /shared/config.json /bundle
}

# quiet_oci HOST RUNTIME ARG...: the container inherits these descriptors, and CRIU cannot dump
# one to the outside.
quiet_oci() {
	local host=$1 runtime=$2
	shift 2
	# shellcheck disable=SC2016 # the inner shell's own
	on "$host" sh -c 'exec "$0" --log /run/oci.log "$@" </dev/null >/dev/null 2>&1' "$runtime" "$@" || {
		on "$host" cat /run/oci.log
		return 1
	}
}

# run_oci HOST RUNTIME
run_oci() {
	quiet_oci "$1" "$2" run -d --bundle /bundle $container
	until_true 10 "redis in its container is ready" on "$1" redis-cli -h "$address" ping
}

# oci_checkpoint HOST RUNTIME [OPTION...], oci_restore HOST RUNTIME [OPTION...]
oci_checkpoint() {
	mkdir -p "$shared/images" "$shared/logs"
	on "$1" "$2" checkpoint --tcp-established --image-path $oci_images --work-path $oci_logs "${@:3}" $container
}
oci_restore() {
	quiet_oci "$1" "$2" restore -d --bundle /bundle --tcp-established --image-path $oci_images \
		--work-path $oci_logs "${@:3}" $container
}
