#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What a takeover has taken: the record of a move, and those of plain criu.

load helper

# shellcheck disable=SC2154 # pid: of start_redis
report() { on "$1" /src/build/ip-takeover report "${@:2}" 3>&-; }

# moves FROM TO
moves() {
	on "$1" /src/build/ip-takeover migrate --pid "$pid" --to "$2" \
		--remote-program /src/build/ip-takeover 3>&-
}

# Sums and phases of the JSON FILE are consistent: phases in order, those of the freeze within it,
# and it is from its first phase to its last.
consistent() {
	jq -e '.sums as $s | .phases as $p | [$p[] | select(.frozen)] as $f |
		($s.frozen_at_ms + $s.frozen_ms) as $thaw |
		($p | length) > 8 and ([$p[].begin_ms] | . == sort) and
		all($p[]; .begin_ms >= 0 and .begin_ms <= .end_ms and .end_ms <= $s.all_ms + 0.001) and
		all($f[]; .begin_ms >= $s.frozen_at_ms - 0.01 and .end_ms <= $thaw + 0.01) and
		($f[0].what == "criu dumps") and
		(($f[0].begin_ms - $s.frozen_at_ms) | fabs) < 0.01 and
		(([$f[].end_ms] | max) - $thaw | fabs) < 0.01 and
		(([$f[] | select(.criu) | .end_ms - .begin_ms] | add) - $s.criu_ms | fabs) < 0.01 and
		($s.criu_ms + $s.ours_ms - $s.frozen_ms | fabs) < 0.01 and
		$s.ours_ms > 0 and $s.aligned' "$1"
}

@test "the record of a move" {
	start_redis
	start_load 100 --interval-ms 10-30
	moves alpha beta
	report alpha --json >"$shared/report"
	consistent "$shared/report"
	[ "$(field "$shared/report" name)" = redis-server ]
	[ "$(field "$shared/report" from) $(field "$shared/report" to)" = "alpha beta" ]
	[ "$(field "$shared/report" result)" = moved ]
	[ "$(field "$shared/report" source.connections)" = 100 ]
	jq -e '.images.stored > 0 and .images.referred > 0 and .images.files > 50' "$shared/report"
	jq -e '.source.held > 0 and .source.relayed == .source.held' "$shared/report"
	jq -e '.clock.round_trip_ns > 0' "$shared/report"
	moved
	# The clients' pause is the freeze, which they notice somewhat later or sooner, but less than
	# the least retransmission timeout (200 ms) apart.
	jq -e --argjson frozen "$(field "$shared/report" sums.frozen_ms)" \
		'(.pause_s * 1000 - $frozen | fabs) < 150' "$shared/load.json"
}

# Where another machine would be, hosts have one clock here: what the ping makes of it.
@test "clocks that are compared over ssh" {
	start_redis
	start_load 100 --interval-ms 10-30
	moves alpha beta
	report alpha --json >"$shared/report"
	jq -e '(.clock.offset_ns | fabs) <= .clock.round_trip_ns / 2' "$shared/report"
	moved
}

@test "bars, by id and by the beginning of it" {
	start_redis
	start_load 1
	moves alpha beta
	report alpha >"$shared/bars"
	id=$(head -n 1 "$shared/bars" | cut -d' ' -f1)
	[ "$(on alpha stat -c '%a %u' /var/lib/ip-takeover/reports "/var/lib/ip-takeover/reports/$id.json")" = \
		"700 0
600 0" ]
	grep -q 'alpha  *criu dumps .* ms █' "$shared/bars" || grep -q 'alpha  *criu dumps .* ms [▏▎▍▌▋▊▉]' "$shared/bars"
	grep -q 'beta  *criu restores ' "$shared/bars"
	grep -q '^frozen .* ms: criu .* ms, ours .* ms; 1 connections' "$shared/bars"
	[ "$(LC_ALL=C.UTF-8 wc -L <"$shared/bars")" -le 120 ]
	report alpha "$id" | diff - "$shared/bars"
	report alpha "${id:0:4}" | diff - "$shared/bars"
	on alpha env LANG=C /src/build/ip-takeover report >"$shared/ascii"
	grep -q 'criu dumps .* ms ##*$' "$shared/ascii"
	not grep -q '[^ -~]' "$shared/ascii"
	moved
}

@test "a picture is XML with every phase" {
	start_redis
	start_load 1
	moves alpha beta
	report alpha --svg /shared/report.svg
	python3 - "$shared/report.svg" <<-END
	import sys
	from xml.etree import ElementTree
	root = ElementTree.parse(sys.argv[1]).getroot()
	assert root.tag == "{http://www.w3.org/2000/svg}svg", root.tag
	texts = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
	for wanted in ("alpha", "beta", "criu dumps", "criu restores", "announce", "The freeze"):
	    assert wanted in texts, (wanted, texts)
	# No text begins where another one is.
	places = [(t.get("x"), t.get("y")) for t in root.iter("{http://www.w3.org/2000/svg}text")]
	assert len(places) == len(set(places))
	END
	moved
}

@test "dump and restore by criu, from the directory of their images" {
	start_redis
	start_load 100 --interval-ms 10-30
	dump plugin
	restore beta plugin
	moved
	report alpha --json /shared/images >"$shared/report"
	consistent "$shared/report"
	report alpha /shared/images >"$shared/bars"
	grep -q 'one clock for both' "$shared/bars"
	# Of two machines nobody can say.
	mkdir "$shared/two"
	jq '.boot = "another"' "$shared/images/ip-takeover-dump.json" >"$shared/two/ip-takeover-dump.json"
	cp "$shared/images/ip-takeover-restore.json" "$shared/two"
	report alpha /shared/two >"$shared/bars"
	grep -q 'clocks are not aligned' "$shared/bars"
	grep -q 'how long it was frozen is not known' "$shared/bars"
	rm "$shared/two/ip-takeover-restore.json"
	report alpha /shared/two >"$shared/bars"
	grep -q 'no record of the destination' "$shared/bars"
}

# what a move that fails before anything is touched leaves
refused() {
	exits 1 'was not moved' moves alpha "$1"
	report alpha >"$shared/report"
	cat "$shared/report"
	grep -q "redis-server: not moved: .*$2" "$shared/report"
	grep -q 'it was not frozen; [1-9]* connections' "$shared/report"
	grep -q "alpha  *$3 .* ms" "$shared/report"
	report alpha --json | jq -e '.source.steps[-1].what == "failed" and .destination == null'
}

@test "a move that fails before criu starts" {
	start_redis
	start_load 1
	refused nowhere 'Could not resolve hostname nowhere' connect
	on beta sed -i "/$address/d" /etc/criu/ip-takeover.conf
	refused beta "in the way: beta: address $address/24: is not in" preflight
	[ "$(on alpha sh -c 'ls /var/lib/ip-takeover/reports | wc -l')" = 2 ]
	on alpha /src/build/ip-takeover migrate --check --pid "$pid" --to beta --remote-program /src/build/ip-takeover 3>&- || :
	[ "$(on alpha sh -c 'ls /var/lib/ip-takeover/reports | wc -l')" = 2 ]
	stayed
}

@test "what is no record" {
	exits 1 'no record in /var/lib/ip-takeover/reports' report alpha
	exits 1 'no record of 0123' report alpha 0123
	exits 1 'not an id' report alpha ../../../etc/passwd
	exits 1 'ip-takeover-dump.json: No such file' report alpha /shared/images
	exits 2 usage: report alpha --json --svg /shared/x
	exits 2 usage: report alpha a b
	on alpha mkdir -p /var/lib/ip-takeover/reports
	id=01234567-89ab-4def-8123-456789abcdef
	for text in '' '[]' '{}' '{"report":2}' '{"report":1,"id":"x"}' '{"report":1,"id":"'$id'"}' \
		'{"report":1,"id":"'$id'","source":{"events":[{"at_ns":-1,"what":"started"}]}}' \
		'{"report":1,"id":"'$id'","source":{"events":[{"at_ns":1,"what":"\u001b[2J"}]}}' \
		'{"report":1,"id":"'$id'","source":{"events":[{"at_ns":2,"what":"started"},{"at_ns":1,"what":"prepared"}]}}'; do
		printf %s "$text" >"$shared/record"
		on alpha cp /shared/record /var/lib/ip-takeover/reports/$id.json
		exits 1 '^ip-takeover: ' report alpha
		not grep -q "$(printf '\033')" "$shared/said"
	done
}

@test "the newest hundred are kept" {
	on alpha sh -c 'mkdir -p /var/lib/ip-takeover/reports; cd /var/lib/ip-takeover/reports
		for i in $(seq 100 219); do echo {} >01234567-89ab-4def-8123-456789abc$i.json; done
		touch -d 2001-01-01 *; echo >other'
	start_redis
	start_load 1
	moves alpha beta
	[ "$(on alpha sh -c 'ls /var/lib/ip-takeover/reports/*.json | wc -l')" = 100 ]
	report alpha | grep -q redis-server
	exits 1 'several records' report alpha 0123
	moved
}

@test "a move that failed" {
	start_redis
	start_load 100 --interval-ms 10-30
	# Preflight finds it in order.
	on beta sh -c 'printf "#!/bin/sh\n[ \$1 != restore ] && exec /usr/sbin/criu \"\$@\"\n" >/usr/local/sbin/criu &&
		chmod 755 /usr/local/sbin/criu'
	exits 1 'was not moved' moves alpha beta
	report alpha --json >"$shared/report"
	jq -e '.result | startswith("not moved: ")' "$shared/report"
	jq -e '.sums.frozen_ms > 0 and any(.phases[]; .what == "undo") and (has("destination") | not)' "$shared/report"
	report alpha | grep -q 'no record of the destination'
	stayed journal alpha
}
