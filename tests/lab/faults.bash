# SPDX-License-Identifier: GPL-2.0-only
# Faults of ip-takeover migrate: stopped at a step, somebody is killed, and it goes on.
# shellcheck disable=SC2154,SC2034 # shared, pid, load, service: of helper.bash

# start_migrate STEP_OF_SOURCE STEP_OF_DESTINATION [OPTION...]: from alpha to beta; where a step
# is named, the process stops there. What moves is $pid, $trees, or what $subject says. Sets $mover.
start_migrate() {
	local tree options=("${subject[@]}")
	[ "${#subject[@]}" -gt 0 ] || for tree in "${trees[@]:-$pid}"; do options+=(--pid "$tree"); done
	printf '#!/bin/sh\n%s exec /src/build/ip-takeover "$@"\n' "${2:+IP_TAKEOVER_STOP_AT=$2}" >"$shared/remote"
	chmod +x "$shared/remote"
	# No function: the process is that of nsenter, which stops and goes on as its child does.
	"$top/scripts/lab" exec alpha env ${1:+IP_TAKEOVER_STOP_AT="$1"} /src/build/ip-takeover migrate \
		"${options[@]}" --to beta --remote-program /shared/remote --timeout 5 "${@:3}" \
		>"$shared/migrate.err" 2>&1 3>&- &
	mover=$!
}

mover=
subject=()

# A lab does not go down while nsenter is stopped: nobody reaps its child.
go_on() { [ -z "$mover" ] || kill -CONT "$mover" 2>/dev/null || :; }

# The host and the pgrep words of each who takes part.
declare -gA who=(
	[migrate]="alpha -f ^/src/build/ip-takeover.migrate"
	[ssh]="alpha -x ssh"
	[source-criu]="alpha -ox criu"
	[source-action]="alpha -x criu-action"
	[source-keeper]="alpha -f ^ip-takeover.keeper"
	[source-worker]="alpha -x ip-takeover-wrk"
	[receive]="beta -f ^/src/build/ip-takeover.receive"
	[destination-criu]="beta -ox criu"
	[destination-action]="beta -x criu-action"
	[destination-keeper]="beta -f ^ip-takeover.keeper"
	[destination-worker]="beta -x ip-takeover-wrk"
	# A container's runtime.
	[source-runtime]="alpha -f ^(runc|crun).checkpoint"
	[destination-runtime]="beta -f ^(runc|crun).restore"
	# Of several trees: the first one's, and the second one's.
	[source-leader]="alpha -of ^criu.dump.--images-dir.\S*/ip-takeover-[^/]*.--log-file"
	[source-member]="alpha -of ^criu.dump.--images-dir.\S*/2.--log-file"
	[destination-leader]="beta -of ^criu.restore.--images-dir.\S*/ip-takeover-[^/]*.--log-file"
	[destination-member]="beta -of ^criu.restore.--images-dir.\S*/2.--log-file"
)

# pids_of WHO
pids_of() {
	local words
	read -ra words <<<"${who[$1]}"
	on "${words[0]}" pgrep "${words[@]:1}"
}

host_of() { echo "${who[$1]%% *}"; }

# signal_to SIGNAL WHO: if there is any. Sets $hit to the PIDs.
signal_to() {
	hit=$(pids_of "$2") || return 0
	# shellcheck disable=SC2086
	on "$(host_of "$2")" kill "-$1" $hit
}

is_in_state() {
	local words
	read -ra words <<<"${who[$1]}"
	on "${words[0]}" pgrep -r "$2" "${words[@]:1}"
}

has_gone() { not kill -0 "$1"; }
is_stopped_or_over() { is_in_state "$1" T || is_in_state migrate T || has_gone "$mover"; }
# Those that signal_to has hit on HOST; a zombie has died.
have_died() {
	local state
	state=$(on "$1" ps -o stat= -p "${hit//$'\n'/,}") || return 0
	not grep -qv '^Z' <<<"$state"
}

# Which host holds the address: exactly one.
owner() {
	local host found=
	for host in alpha beta; do
		if holds_address "$host"; then found+=$host; fi
	done
	[ "$found" = alpha ] || [ "$found" = beta ] || return 1
	on $found pgrep -x "$service" >/dev/null || return 1
	echo "$found"
}

one_copy() {
	local o
	o=$(owner) || return 1
	[ "$o" = alpha ] && o=beta || o=alpha
	no_process "$o" && not holds_address "$o"
}

no_images() { on "$1" sh -c '! ls -d /dev/shm/ip-takeover-* /run/ip-takeover-* /tmp/ip-takeover-* 2>/dev/null'; }

# It has moved completely, or not at all.
all_or_nothing() {
	local host journal=() via=(alpha)
	until_true 30 "one owner, one copy" one_copy
	owner=$(owner)
	[ "$owner" = alpha ] || via+=(beta)
	for host in alpha beta; do
		until_true 20 "the keepers of $host end" no_keeper "$host"
		until_true 10 "no images are left on $host" no_images "$host"
		no_journal "$host" || journal+=("$host")
	done
	ends_at "$owner" via "${via[@]}" journal "${journal[@]}"
}

busy() {
	start_redis
	answers_go_on
	start_load 20 --interval-ms 10-30
}

# fault SIDE STEP VICTIM: stopped at STEP of SIDE, VICTIM is killed.
fault() {
	local side=$1 step=$2 victim=$3 process=migrate
	[ "$side" = source ] || process=receive
	echo "== $victim killed at step $step of the $side"
	busy
	if [ "$side" = source ]; then start_migrate "$step" ""; else start_migrate "" "$step"; fi
	until_true 20 "it stops at $step" is_stopped_or_over $process
	if ! is_in_state $process T >/dev/null; then
		echo "it has never come to the step $step"
		cat "$shared/migrate.err"
		return 1
	fi
	if pids_of "$victim" >/dev/null; then
		signal_to KILL "$victim"
		[ "$victim" = $process ] || until_true 5 "$victim dies" have_died "$(host_of "$victim")"
	fi
	signal_to CONT $process || :
	kill -CONT "$mover" || :
	until_true 60 "migrate ends" has_gone "$mover"
	wait "$mover" || :
	cat "$shared/migrate.err"
	all_or_nothing
	echo "   it is on $owner"
}

# sample LIST-OF-STEPS NAME: all, or NAME and the next one, when not FAULTS=all.
sample() {
	if [ "${FAULTS:-}" = all ]; then echo "$1"; else grep -A1 -x "$2" <<<"$1"; fi
}

# each_step VICTIM: in a new lab each.
each_step() {
	local first=1 side step steps
	for side in source destination; do
		steps=$("$top/build/ip-takeover" steps $side)
		if [ $side = source ]; then steps=$(sample "$steps" commit); else steps=$(sample "$steps" ready); fi
		for step in ${STEPS:-$steps}; do
			"$top/build/ip-takeover" steps $side | grep -qx "$step" || continue
			[ $first = 1 ] || { "$top/scripts/lab" down; setup; }
			first=0 load=''
			fault $side "$step" "$1"
		done
	done
}

# The segment carries nothing between alpha and beta, for good, or until it does again: by ports
# of its bridge that are isolated. Both reach the client.
link_between() {
	local segment host
	read -r segment _ <"${shared%/shared}/segment.pid"
	for host in alpha beta; do
		nsenter -t "$segment" -n bridge link set dev "$host" isolated "$1"
	done
}
cut() { link_between on; }
heal() { link_between off; }

# The segment carries no questions and answers of keepers; all else it does.
no_words() {
	local segment
	read -r segment _ <"${shared%/shared}/segment.pid"
	nsenter -t "$segment" -n nft -f - <<-END
		table bridge words {
			chain forward {
				type filter hook forward priority 0;
				ether type 0x88b5 drop
			}
		}
	END
}

id_on() { on "$1" /src/build/ip-takeover status --json | jq -er '.[].id'; }

# policy WORDS: what beta's configuration says.
policy() { on beta sh -c "echo '$1' >>/etc/criu/ip-takeover.conf"; }

# stopped_at SIDE STEP: start_migrate, until it has come there.
stopped_at() {
	local process=migrate
	[ "$1" = source ] || process=receive
	if [ "$1" = source ]; then start_migrate "$2" ""; else start_migrate "" "$2"; fi
	until_true 20 "it stops at $2" is_in_state $process T
}

go_on_from() {
	signal_to CONT "$1"
	go_on
}

over() { until_true "${1:-30}" "migrate ends" has_gone "$mover"; }
