# SPDX-License-Identifier: GPL-2.0-only
# Planned moves of an address that is keepalived's, by the configuration that is recommended and
# by keepalived's defaults.
# shellcheck disable=SC2154,SC2016 # variables of bench; what the hosts expand

# shellcheck source=../../tests/lab/keepalived.bash
. "$top/tests/lab/keepalived.bash"

holds_address() { on "$1" ip -o address show to "$address" | grep -q "$address/"; }

is_backup_again() { track_file_is "$1" 0 && on "$1" sh -c 'kill -USR1 $(cat /run/keepalived.pid); grep -q "State = BACKUP" /tmp/keepalived.data'; }

# Milliseconds since the epoch of the address's coming, by the kernel's own word.
came_at() {
	local at
	at=$(on "$1" awk -v address="$address/" '/^\[/ { at = substr($1, 2, length($1) - 2) }
		!/Deleted/ && index($0, address) { last = at } END { print last }' "/shared/monitor-$1")
	echo $((10#$(date -u -d "$at" +%s%N) / 1000000))
}

# planned NAME PRIORITY_OF_ALPHA PRIORITY_OF_BETA: a line of the table.
planned() {
	local i from=alpha to=beta moves=20 host
	work=$(mktemp -d)
	"$top/scripts/lab" down >/dev/null
	"$top/scripts/lab" up >/dev/null
	keepalived_on_both "$2" "$3"
	start_redis
	start_load 100 --interval-ms 10-30
	for host in alpha beta; do
		on $host env TZ=UTC ip -ts monitor address >"$shared/monitor-$host" 2>/dev/null &
	done
	for ((i = 0; i < moves; i++)); do
		migrate "$from" "$to"
		until_true 20 "$from is a backup again" is_backup_again "$from"
		until_true 20 "the keepers of $from end" no_keeper "$from"
		until_true 20 "the keepers of $to end" no_keeper "$to"
		on "$from" /src/build/ip-takeover report --json >"$work/report"
		echo $(($(came_at "$to") - $(jq '.source.events | map(select(.what == "withdraw"))[0].at_ns / 1000000 | floor' "$work/report"))) >>"$work/came"
		read -r from to <<<"$to $from"
	done
	end_load
	printf '| %s | %d ms | %d ms | %.3f s | %d | %d |\n' "$1" "$(median <"$work/came")" \
		"$(sort -n "$work/came" | tail -n 1)" "$(field "$shared/load.json" longest_wait_s)" \
		"$(field "$shared/load.json" reset)" "$(field "$shared/load.json" wrong)"
	rm -r "$work"
}

keepalived() {
	echo "## 20 planned moves of keepalived's address, there and back, 100 clients"
	echo
	echo "From the withdrawal on one host to the address on the other."
	echo
	echo "| configuration | address there, median | longest | longest wait | reset | wrong |"
	echo "|---|---|---|---|---|---|"
	planned "recommended: priorities 254, 253" 254 253
	planned "keepalived's default priority 100, 99" 100 99
	echo
}
