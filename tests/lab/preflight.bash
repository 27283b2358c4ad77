# SPDX-License-Identifier: GPL-2.0-only
# Facts of alpha's service, edited, and what a host says to them: for preflight*.bats.
# shellcheck disable=SC2154,SC2034,SC2016 # variables of helper.bash; code for lab hosts

facts() { on alpha /src/build/ip-takeover facts "${pids[@]/#/--pid=}" >"$shared/facts.json"; }

# edit JQ-PROGRAM: what another source would have said.
edit() {
	jq "$@" "$shared/facts.json" >"$shared/edited.json"
}

# judge HOST [OPTION...] of what edit has made.
judge() { on "$1" /src/build/ip-takeover judge "${@:2}" <"$shared/edited.json"; }
judged() { judge beta >"$shared/said" 2>&1; }
judged_here() { judge alpha --here "$@" >"$shared/said" 2>&1; }

# Lines among what was said: finding STATE NAME TEXT; remedy NAME TEXT.
finding() { grep -qE "^$1 +$2  .*$3" "$shared/said" || { cat "$shared/said"; return 1; }; }
remedy() { grep -E -A1 "^[a-z]+ +$1  " "$shared/said" | grep -qE -- "^ +-> .*$2" || { cat "$shared/said"; return 1; }; }
all_ok() { not grep -vE '^ok ' "$shared/said"; }

# refused NAME TEXT REMEDY: beta says no, for this reason only.
refused() {
	not judged
	finding no "$1" "$2"
	remedy "$1" "$3"
	[ "$(grep -E '^(no|warning) ' "$shared/said" | grep -cvE "^no +$1  ")" = 0 ] || { cat "$shared/said"; return 1; }
}

goes() {
	if judged && all_ok; then
		return
	fi
	cat "$shared/said"
	return 1
}

begin() {
	start_redis
	start_load "${1:-10}" --interval-ms 10-30
	pids=("$pid")
	facts
	edit .
}

# spawn HOST CMD...: sets $spawned.
spawn() {
	on "$1" sh -c 'setsid "$@" </dev/null >/tmp/spawned.log 2>&1 & echo $! >/run/spawned.pid' sh "${@:2}"
	spawned=$(on "$1" cat /run/spawned.pid)
}

listens() { on "$1" ss -Hltn "src $2" | grep -q .; }
configured() { on "$1" sed -i "$2" /etc/criu/ip-takeover.conf; }

# with_pid HOST PID CMD...: in the background, with this PID.
with_pid() {
	on "$1" sh -c 'read -r last </proc/sys/kernel/ns_last_pid
		echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid
		shift
		"$@" </dev/null >/dev/null 2>&1 & echo $! >/run/spawned.pid
		echo "$last" >/proc/sys/kernel/ns_last_pid' sh "${@:2}"
	spawned=$(on "$1" cat /run/spawned.pid)
	[ "$spawned" = "$2" ]
}

picture() {
	on "$1" sh -c 'ip -o address; ip -o route; nft list ruleset; ls -A /run /tmp /run/ip-takeover 2>&1 | grep -v kdat'
}
