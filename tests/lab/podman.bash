# SPDX-License-Identifier: GPL-2.0-only
# Podman in the lab's hosts. To be loaded after helper and engines.
# shellcheck disable=SC2154 # variables of helper and engines

# prepare_podman HOST RUNTIME: a podman of its own that has $image, and whose criu loads our
# plugin; it ends with the lab.
prepare_podman() {
	local host=$1 runtime=$2
	make_image
	# Its overlay does not go on top of overlayfs.
	on "$host" mkdir -p /var/lib/containers /etc/containers /etc/criu
	on "$host" mount -t tmpfs tmpfs /var/lib/containers
	on "$host" sh -c "printf 'tcp-established\nnetwork-lock skip\nlibdir /src/build/plugin\n' >/etc/criu/$runtime.conf"
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

# fail_restore HOST RUNTIME STAGE [COMMAND]: criu fails there, if COMMAND succeeds, too.
fail_restore() {
	on "$1" sh -c "printf '#!/bin/sh\n! { [ \$CRTOOLS_SCRIPT_ACTION = $3 ] && ${4:-true}; }\n' >/run/fail && chmod +x /run/fail && echo 'action-script /run/fail' >>/etc/criu/$2.conf"
}

# run_podman HOST [OPTION...]
run_podman() {
	on "$1" podman run --detach --name redis "${@:2}" "$image" redis-server --bind "$address" --protected-mode no --save ''
	until_true 10 "redis answers" on client redis-cli -h "$address" PING
}

# migrate_podman FROM TO [OPTION...]
migrate_podman() {
	on "$1" /src/build/ip-takeover migrate --podman redis --to "$2" --remote-program /src/build/ip-takeover "${@:3}" 3>&-
}

# The container "redis" with 100 clients, from alpha to beta and back.
podman_there_and_back() {
	start_load 100
	migrate_podman alpha beta
	container_is beta running
	no_container alpha
	migrate_podman beta alpha
	container_is alpha running
	no_container beta
	end_load
}

# The move from alpha to beta fails, and nobody notices.
stays_here() {
	not migrate_podman alpha beta
	container_is alpha running
	not container_is beta running
	end_load
	no_images
	nothing_left alpha
	nothing_left beta
	not on alpha sh -c 'ls -d /var/lib/containers/storage/overlay-containers/*/userdata/checkpoint'
}

# All that a person has said about it.
description_of() {
	on "$1" podman container inspect redis | jq '.[0] | [.Name, .Path, .Args, .Image, .ImageName, .OCIRuntime, .HostConfig, .Mounts,
		(.Config | del(.CreateCommand)), .NetworkSettings.Networks] | del(..|.ContainerIDFile?, .Path?)'
}

container_is() { [ "$(on "$1" podman container inspect --format '{{.State.Status}}' redis)" = "$2" ]; }
no_container() { [ -z "$(on "$1" podman ps --all --quiet)" ]; }

# macvlan_network HOST: podman's network "lan", whose containers are on the lab's segment.
macvlan_network() {
	on "$1" podman network create -d macvlan -o parent=eth0 --subnet 192.0.2.0/24 lan
}

# Its address is that of the service, on eth0 in it; alpha's own eth0 has it no more.
on_macvlan() {
	local host
	for host in alpha beta; do
		prepare_podman $host "$1"
		macvlan_network $host
	done
	on alpha ip address del "$address/24" dev eth0
	run_podman alpha --network lan --ip "$address"
}

macvlan_there_and_back() {
	on_macvlan "$1"
	podman_there_and_back
	[ -z "$(on client tcpdump -nr /shared/capture "$forbidden" 2>/dev/null)" ]
	no_images
	nothing_left alpha
	nothing_left beta
}

# restore_fails RUNTIME STAGE: of criu on beta.
restore_fails() {
	fail_restore beta "$1" "$2"
	start_load 100
	stays_here
	no_container beta
}
