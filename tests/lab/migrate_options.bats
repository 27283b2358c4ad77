#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What migrate says and does not say, and what it does before it moves anything.

load helper
load preflight

migrate() {
	on alpha /src/build/ip-takeover migrate --pid "$pid" --to beta \
		--remote-program /src/build/ip-takeover "$@" 3>&-
}

start() {
	start_redis
	start_load 10 --interval-ms 10-30
	before=$(picture alpha; picture beta)
}

# Nothing has been touched.
untouched() {
	[ "$(picture alpha; picture beta)" = "$before" ]
	stayed
}

last_line() { tail -n 1 "$shared/said" | grep -qE -- "$1"; }
line='moved redis-server \([0-9]+\) alpha -> beta: 10 connections, frozen 0\.[0-9][0-9] s, [0-9]+ MiB of memory'

@test "--check says what both hosts find, and does no more" {
	start
	exits 0 . migrate --check
	grep -qE '^ok +alpha +service +1 address, 10 connections' "$shared/said"
	grep -qE '^ok +beta +files +all [0-9]+ are here' "$shared/said"
	not grep -qE '^(no|warning)' "$shared/said"
	with_pid beta "$pid" sleep 300
	exits 1 "runs here: preflight found" migrate --check
	grep -qE "^no +beta +PIDs +$pid is sleep here" "$shared/said"
	grep -qE '^ok +beta' "$shared/said"
	# A move says only what is wrong, and does not begin.
	exits 1 "$pid is sleep here" migrate
	not grep -qE '^ok ' "$shared/said"
	exits 1 "$pid is sleep here" migrate --quiet
	on beta sh -c "kill $spawned; rm /run/spawned.pid"
	untouched
}

@test "what is in the way on the source is said beside what is on the other" {
	start
	spawn alpha python3 /src/tests/services/listen.py $address 7000
	until_true 5 "it listens" listens alpha $address:7000
	exits 1 "runs here: preflight found" migrate --check
	grep -qE "^no +alpha +others +$address is in use by python3" "$shared/said"
	grep -qE "^ok +beta +PIDs" "$shared/said"
	on alpha sh -c "kill $spawned; rm /run/spawned.pid /tmp/spawned.log"
	untouched
}

@test "--dry-run says what would be done" {
	start
	exits 0 'would move 192.0.2.100/24 with it' migrate --dry-run
	last_line 'would move redis-server \([0-9]+\) alpha -> beta: 10 connections, [0-9]+ MiB of memory'
	untouched
}

@test "one line at the end; --quiet says none" {
	start
	exits 0 . migrate
	[ "$(wc -l <"$shared/said")" = 1 ]
	last_line "^$line\$"
	until_true 15 "beta has done its part" no_keeper beta
	on beta /src/build/ip-takeover migrate --pid "$pid" --to alpha --quiet \
		--remote-program /src/build/ip-takeover >"$shared/said" 2>&1 3>&-
	[ ! -s "$shared/said" ]
	ends_at alpha via alpha beta alpha
}

@test "--json gives an event a line, and nothing else" {
	start
	migrate --json >"$shared/said"
	jq -es '[.[] | select(.event == "step") | .step] ==
		["connect", "greet", "preflight", "ahead", "dump", "images", "restore", "commit", "committed", "done"]' "$shared/said"
	jq -es '[.[] | select(.event == "finding") | .state] | unique == ["ok"]' "$shared/said"
	jq -es '.[-1] | .event == "result" and .moved and .connections == 10 and .frozen_s > 0 and .frozen_s < 2
		and .from == "alpha" and .to == "beta"' "$shared/said"
	jq -es '[.[].at] | . == sort' "$shared/said"
	moved
}

@test "a terminal sees the steps; the freeze does not wait for it" {
	start
	on alpha python3 /src/tests/services/terminal.py /src/build/ip-takeover migrate --pid "$pid" --to beta \
		--remote-program /src/build/ip-takeover >"$shared/said" 3>&-
	tr '\r' '\n' <"$shared/said" >"$shared/lines"
	for step in greet preflight ahead; do grep -q "^$step" "$shared/lines"; done
	grep -qE "$line" "$shared/lines"
	moved
}

@test "--verbose whose reader reads nothing does not prolong the freeze" {
	start
	on alpha sh -c '{ /src/build/ip-takeover migrate --pid "$1" --to beta --json \
		--remote-program /src/build/ip-takeover; echo $? >/run/status; } | { sleep 3; cat >/run/said; }' sh "$pid" 3>&-
	[ "$(on alpha cat /run/status)" = 0 ]
	on alpha cat /run/said | jq -es '.[-1].frozen_s < 1'
	moved
}

@test "--keep-images leaves what criu has written" {
	start
	exits 0 . migrate --keep-images /shared/kept
	last_line "^$line\$"
	for file in inventory.img pages-1.img dump.log ip-takeover.json; do [ -s "$shared/kept/$file" ]; done
	[ "$(stat -c %a "$shared/kept")" = 700 ]
	moved
}

@test "--keep-images of a move that failed has criu's log" {
	start
	exits 1 "was not moved, and runs here" migrate --keep-images /shared/kept -- --ghost-limit nonsense --nonsense
	[ -e "$shared/kept/dump-said.log" ]
	untouched
}

@test "--compress" {
	start
	exits 0 "^moved redis-server" migrate --compress
	moved
}

@test "--sync copies what differs, and only then goes" {
	local lib
	start
	lib=$(on alpha sh -c "awk '/liblzf/ { print \$6 }' /proc/$pid/maps" | head -n 1)
	on beta rm "$lib"
	on beta truncate -s 1 /usr/bin/redis-check-rdb
	exits 1 "$lib is missing" migrate
	exits 1 "rsync.*; install rsync on both hosts" migrate --sync
	"$top/scripts/lab" install rsync
	exits 1 "would copy 2 files to beta" migrate --sync --dry-run
	on beta sh -c "! [ -e $lib ]"
	exits 0 "copying to beta: $lib" migrate --sync --verbose
	[ "$(on alpha sha256sum "$lib")" = "$(on beta sha256sum "$lib")" ]
	moved
}

# interrupted_at STEP SIGNAL
interrupted_at() {
	"$top/scripts/lab" exec alpha env IP_TAKEOVER_STOP_AT="$1" /src/build/ip-takeover migrate --pid "$pid" --to beta \
		--remote-program /src/build/ip-takeover >"$shared/said" 2>&1 3>&- &
	local mover=$! status=0
	until_true 20 "it stops at $1" on alpha pgrep -r T -f "^/src/build/ip-takeover.migrate"
	on alpha pkill "-$2" -f "^/src/build/ip-takeover.migrate"
	on alpha pkill -CONT -f "^/src/build/ip-takeover.migrate"
	# nsenter stops as its child does.
	kill -CONT $mover
	wait $mover || status=$?
	cat "$shared/said"
	[ $status = "$3" ]
}

@test "whoever interrupts it before the commit has it undone, later nothing" {
	local step
	start
	for step in connect preflight ahead dump images restore; do
		interrupted_at $step TERM 1
		last_line 'was not moved, and runs here: interrupted$'
		on alpha redis-cli -h $address -t 2 ping
		until_true 15 "the keepers end" no_keeper alpha
		no_journal alpha || forget alpha
	done
	interrupted_at ahead HUP 1
	interrupted_at committed TERM 0
	last_line "^moved redis-server"
	moved
}
