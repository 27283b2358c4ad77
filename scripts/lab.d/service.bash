# SPDX-License-Identifier: GPL-2.0-only
# Sourced by demo, bench and lab tests: a busy redis on the lab's service address, and
# its way from host to host by criu. Set $top (the checkout) and $LAB first.
# shellcheck disable=SC2154,SC2034 # variables of, and for, whoever sources this

address=192.0.2.100
shared=/run/criu-ip-takeover-lab/$LAB/shared
common=(--images-dir /shared/images -v4 --tcp-established --network-lock skip)

on() { "$top/scripts/lab" exec "$@"; }

# until_true SECONDS WHAT CMD...: poll until CMD succeeds.
until_true() {
	local deadline=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS > deadline)); then
			echo "in vain: $what" >&2
			"$@" >&2
			return 1
		fi
		read -r -t 0.05 <> <(:) || :
	done
}

# Sets $pid.
start_redis() {
	on alpha redis-server --bind $address --port 6379 --save '' --protected-mode no \
		--daemonize yes --dir /tmp --pidfile /run/redis.pid --logfile /tmp/redis.log >/dev/null
	until_true 10 "redis writes its pidfile" on alpha test -s /run/redis.pid
	pid=$(on alpha cat /run/redis.pid)
}

# start_load CONNECTIONS [OPTION...]: sets $load.
start_load() {
	local connections=$1
	shift
	rm -f "$shared/ready" "$shared/load.json"
	on client /src/build/takeover-load redis $address 6379 --connections "$connections" \
		--duration 120 --ready /shared/ready --json /shared/load.json "$@" \
		>"$shared/load.out" 2>"$shared/load.err" 3>&- &
	load=$!
	until_true 20 "all clients are connected" test -e "$shared/ready"
}

# criu's options for a WAY: plugin or scripts.
way() {
	case $1 in
	plugin) echo --libdir /src/build/plugin ;;
	scripts) echo --action-script /src/build/criu-action ;;
	none) ;;
	*) return 1 ;;
	esac
}

# dump WAY [OPTION...], of $pid
dump() {
	local w
	w=$(way "$1")
	shift
	mkdir -p "$shared/images"
	# shellcheck disable=SC2086
	on alpha criu dump "${common[@]}" -t "$pid" -o dump.log $w "$@" 3>&-
}

# restore HOST WAY [OPTION...]
restore() {
	local host=$1 w
	w=$(way "$2")
	shift 2
	# shellcheck disable=SC2086
	on "$host" criu restore "${common[@]}" -d -o restore.log $w "$@" 3>&-
}

# field FILE NAME: one value of one of our JSON files.
field() { jq -r ".$2" "$1"; }

no_keeper() { on "$1" sh -c '! pgrep ip-takeover'; }

# When (ms since the epoch) the keeper of ROLE (dump, restore) wrote EVENT down.
event() {
	jq -r --arg what "$2" '.events | map(select(.what == $what))[0].at_ns / 1e6' \
		"$shared/images/ip-takeover-$1.json"
}

# When (ms since the epoch) criu logged TEXT, by a stage that both have written down.
logged() {
	local role=$1 text=$2 anchor_text anchor
	case $role in
	dump) anchor_text='Running post-dump scripts' anchor=$(event dump withdraw) ;;
	restore) anchor_text='Running post-restore scripts' anchor=$(event restore claim) ;;
	esac
	awk -v text="$text" -v anchor_text="$anchor_text" -v anchor="$anchor" '
		{ at = substr($1, 2) * 1000 }
		!seen && index($0, text) { when = at; seen = 1 }
		index($0, anchor_text) { offset = anchor - at }
		END { printf "%.3f\n", when + offset }' "$shared/images/$role.log"
}

# Milliseconds of our own work inside the freeze: own dump, own restore.
own() {
	if [ "$1" = dump ]; then
		jq '[.events[] | {key: .what, value: .at_ns}] | from_entries |
			(.withdrawn - .withdraw) / 1e6' "$shared/images/ip-takeover-dump.json"
	else
		jq '[.events[] | {key: .what, value: .at_ns}] | from_entries |
			(.prepared - .started + .claimed - .claim) / 1e6' \
			"$shared/images/ip-takeover-restore.json"
	fi
}
