#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The oldest CRIU that is supported, Debian 12's 3.17.1, and the lab hosts' own, 4.2 or newer:
# either loads a plugin built on the headers of either. That 3.17.1 does not know this
# kernel is its own affair: with old-kernel it dumps and restores here, too.

load helper

setup_file() { make -s -C "$top" headers-check; }

# built_on VERSION: sets $plugin, criu's options for the plugin built on its headers.
built_on() {
	mkdir -p "$shared/built/plugin"
	cp "$top/build/ip-takeover" "$top/build/criu-action" "$shared/built"
	cp "$top/build/criu-$1/plugin/ip_takeover_plugin.so" "$shared/built/plugin"
	plugin=(--libdir /shared/built/plugin)
}

# by_criu VERSION IMAGE-LOG...: it was this one, and it had our plugin.
by_criu() {
	local version=$1 log
	shift
	for log; do
		grep -q "Version: $version" "$shared/images/$log.log"
		grep -q 'Plugin "ip_takeover_plugin"' "$shared/images/$log.log"
	done
}

# old_criu [COMMAND]: from now on criu is 3.17.1, on alpha and beta, and runs by COMMAND.
old_criu() {
	local base lib host
	base=$("$top/scripts/lab.d/base" bookworm)
	mkdir "$shared/old"
	cp "$base/usr/sbin/criu" "$shared/old"
	# Libraries that Debian has in a newer version now.
	for lib in $(on alpha ldd /shared/old/criu | awk '/not found/ { print $1 }'); do
		cp "$base"/usr/lib/*/"$lib" "$shared/old"
	done
	for host in alpha beta; do
		printf '#!/bin/sh\nLD_LIBRARY_PATH=/shared/old exec %s /shared/old/criu "$@"\n' "${1:-}" |
			on "$host" sh -c 'cat >/usr/local/sbin/criu; chmod +x /usr/local/sbin/criu'
		on "$host" criu --version | grep 'Version: 3.17.1'
	done
	# --network-lock skip came with 3.19.
	common=(--images-dir /shared/images -v4 --tcp-established --network-lock nftables)
}

old_kernel() {
	[ "$(uname -m)" = x86_64 ] || skip "old-kernel is for x86-64"
	make -s -C "$top" build/old-kernel build/old-kernel.so
	old_criu /src/build/old-kernel
}

# It has no threads, as redis has them: below their stacks glibc has guard pages of a kind that
# CRIU 3.17 does not know (MADV_GUARD_INSTALL, Linux 6.13).
start_old_nginx() {
	load nginx
	start_nginx /src/build/old-kernel
	start_download --rate $((40 << 20))
}

old_moves() {
	old_kernel
	start_old_nginx
	dump none "$@"
	restore beta none "$@"
	end_download
	moved
}

# moves VERSION-OF-HEADERS
moves() {
	built_on "$1"
	start_redis
	start_load 50 --interval-ms 10-30
	dump none "${plugin[@]}"
	restore beta none "${plugin[@]}"
	moved
	by_criu 4 dump restore
}

@test "CRIU 4, the plugin built on the headers of 3.17" { moves 3.17; }
@test "CRIU 4, the plugin built on the headers of 4" { moves 4; }

@test "CRIU 3.17, the plugin built on the headers of 3.17" {
	built_on 3.17
	old_moves "${plugin[@]}"
	by_criu 3.17.1 dump restore
}

@test "CRIU 3.17, the plugin built on the headers of 4" {
	built_on 4
	old_moves "${plugin[@]}"
	by_criu 3.17.1 dump restore
}

@test "CRIU 3.17, scripts" { old_moves --action-script /src/build/criu-action; }

@test "CRIU 3.17 dumps and goes on with the service" {
	built_on 4
	old_kernel
	start_old_nginx
	dump none "${plugin[@]}" -R
	end_download
	by_criu 3.17.1 dump
	stayed journal alpha
}

@test "CRIU 3.17 refuses a process of this kernel" {
	grep -q vvar_vclock /proc/self/maps || skip "CRIU 3.17 can dump on a kernel before 6.13"
	built_on 4
	old_kernel
	start_redis
	start_load 50 --interval-ms 10-30
	not dump none "${plugin[@]}"
	by_criu 3.17.1 dump
	grep -q 'Unsupported mapping found' "$shared/images/dump.log"
	stayed journal alpha
}

@test "CRIU 3.17 refuses this kernel" {
	grep -q vvar_vclock /proc/self/maps || skip "CRIU 3.17 can run on a kernel before 6.13"
	built_on 4
	old_criu
	start_redis
	start_load 50 --interval-ms 10-30
	not dump none "${plugin[@]}"
	grep -q 'Unexpected rt vDSO area bounds' "$shared/images/dump.log"
	stayed
}
