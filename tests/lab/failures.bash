# SPDX-License-Identifier: GPL-2.0-only
# What makes a dump or a restore fail, for failures_source.bats and failures_destination.bats.
# shellcheck disable=SC2154,SC2034,SC2016,SC2317 # variables of helper.bash; code for lab hosts

# The logs lie elsewhere, so that the image directory can be taken away.
common+=(--work-dir /shared/logs)

busy() {
	mkdir "$shared/logs"
	start_redis
	start_load 50 --interval-ms 10-30
}

# images_are HOST OPTION...: the host has an image directory of its own.
images_are() { on "$1" mount -t tmpfs "${@:2}" none /shared/images; }

# without CAPABILITY CMD...: dump or restore by a criu that lacks it.
without() (
	capability=$1
	shift
	eval "powerful_$(declare -f on)"
	on() {
		local host=$1
		shift
		powerful_on "$host" setpriv --bounding-set "-$capability" --inh-caps "-$capability" "$@"
	}
	"$@"
)

# run_is_read_only HOST
run_is_read_only() { on "$1" sh -c 'mkdir -p /run/ip-takeover; mount -t tmpfs -o ro none /run/ip-takeover'; }

# All but one of the keeper's queues are another process's; it needs two. Sets $binder.
bind_queues() {
	on "$1" sh -c 'python3 /src/tests/services/bind_queues.py 0x7400 63 </dev/null >/run/binder.log 2>&1 &
		echo $! >/run/binder.pid'
	until_true 5 "the queues are bound" on "$1" grep bound /run/binder.log
	binder=$(on "$1" cat /run/binder.pid)
}

free_queues() {
	on "$1" kill "$binder"
	until_true 5 "the binder ends" not on "$1" kill -0 "$binder"
}

# The kernel takes at most 1024 base chains a hook.
fill_hook() {
	on "$1" sh -c '{
		echo add table ip full
		for i in $(seq 1024); do
			echo "add chain ip full c$i { type filter hook prerouting priority $i; }"
		done
	} | nft -f -'
}

free_hook() { on "$1" nft delete table ip full; }

# configured HOST SED-COMMAND, until configured_right.
configured() { on "$1" sed -i.right "$2" /etc/criu/ip-takeover.conf; }
configured_right() { on "$1" mv /etc/criu/ip-takeover.conf.right /etc/criu/ip-takeover.conf; }

# at STAGE COMMAND...: writes an action script.
at() {
	cat >"$shared/at-$1" <<-END2
	#!/bin/sh
	[ "\$CRTOOLS_SCRIPT_ACTION" = $1 ] || exit 0
	$2
	END2
	chmod +x "$shared/at-$1"
}

# The options of a criu that runs such a script after ours at the stages that both have: the
# script that is named last runs first.
after_ours() {
	echo --action-script "/shared/at-$2" --action-script /src/build/criu-action
	[ "$1" = scripts ] || way "$1"
}
