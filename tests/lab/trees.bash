# SPDX-License-Identifier: GPL-2.0-only
# For migrate_trees*.bats: a redis and an nginx on one address.
# shellcheck disable=SC2154,SC2034 # variables of, and for, helper.bash

trees=()

# migrate_trees FROM TO [OPTION...]: all of $trees.
migrate_trees() {
	local tree options=()
	for tree in "${trees[@]}"; do options+=(--pid "$tree"); done
	on "$1" /src/build/ip-takeover migrate "${options[@]}" --to "$2" \
		--remote-program /src/build/ip-takeover "${@:3}" 3>&-
}

# Sets $redis, $nginx, $trees.
start_both() {
	start_redis
	redis=$pid
	start_nginx
	nginx=$pid
	service='redis-server|nginx'
	trees=("$redis" "$nginx")
}

# Every tree runs on HOST, and on no other.
all_on() {
	local tree other=alpha
	[ "$1" = beta ] || other=beta
	for tree in "${trees[@]}"; do
		on "$1" kill -0 "$tree"
	done
	not on $other pgrep -x "$service"
}
