# SPDX-License-Identifier: GPL-2.0-only
# Containers of runc and crun that are moved by ip-takeover migrate. To be loaded after helper,
# engines and faults.
# shellcheck disable=SC2154,SC2034 # variables of helper.bash and faults.bash

runtime=runc

# migrate's words for the container, for faults.bash.
moving() { subject=("--$runtime" redis); }

busy() {
	moving
	prepare_runtime alpha "$runtime"
	prepare_runtime beta "$runtime"
	run_container "$runtime"
	start_load 20 --interval-ms 10-30
}

# runs_on HOST: the container, as its runtime knows it.
runs_on() { on "$1" "$runtime" state redis | jq -e '.status == "running"' >/dev/null; }

# Nor half of one, nor a mount of one.
no_container() {
	not on "$1" grep criu-root /proc/mounts && not on "$1" ls "/run/$runtime/redis" && not on "$1" "$runtime" state redis
}

# The container is where the service is, and there only.
container_is_on() {
	local other=beta
	[ "$1" = alpha ] || other=alpha
	until_true 10 "$runtime on $1 has it running" runs_on "$1"
	until_true 10 "$runtime on $other does not have it" no_container "$other"
}

# other_container HOST STATE: a container "redis" that has nothing to do with ours, running or
# stopped.
other_container() {
	local args='["sleep", "1000"]'
	[ "$2" = running ] || args='["true"]'
	on "$1" mkdir -p /var/other
	on "$1" sh -c "jq -c '.process.args = $args | .process.cwd = \"/\" | .linux.cgroupsPath = \"/other\" | .root.path = \"/var/bundle/rootfs\"' \
		/var/bundle/config.json >/var/other/config.json"
	on "$1" sh -c "cd /var/other && setsid $runtime run --detach redis </dev/null >/dev/null 2>&1"
	until_true 5 "it is $2" on "$1" sh -c "$runtime state redis | grep '\"status\": \"$2\"'"
}

# For tests that fail.
show_engine() { on "$1" sh -c "ls /run/$runtime/redis; $runtime state redis | head -n 6; cat /sys/fs/cgroup/redis/cgroup.events"; }
