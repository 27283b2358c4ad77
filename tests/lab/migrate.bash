# SPDX-License-Identifier: GPL-2.0-only
# For migrate*.bats.
# shellcheck disable=SC2154 # variables of helper.bash

# migrate FROM TO [OPTION...]: the process $pid.
migrate() {
	on "$1" /src/build/ip-takeover migrate --pid "$pid" --to "$2" \
		--remote-program /src/build/ip-takeover "${@:3}" 3>&-
}

# Nothing lies around, on either host.
no_images() {
	local host
	for host in alpha beta; do
		not on "$host" sh -c 'ls -d /dev/shm/ip-takeover-* /run/ip-takeover-* /tmp/ip-takeover-* /var/tmp/ip-takeover-* 2>/dev/null | grep .'
	done
}
