# SPDX-License-Identifier: GPL-2.0-only
# A container of Docker's, with 100 clients, from one host to the other: by hand and by migrate.
# shellcheck disable=SC2154,SC2016 # variables of bench; what the hosts expand

# fresh_container MIB CONF: redis with so many MiB in r1 on alpha, and the lines of runc.conf.
fresh_container() {
	local host
	"$top/scripts/lab" down >/dev/null
	"$top/scripts/lab" up >/dev/null
	for host in alpha beta; do
		on $host mkdir -p /etc/criu
		on $host sh -c "printf '$2' >/etc/criu/runc.conf"
		start_docker $host >/dev/null
	done
	on alpha docker run --detach --name r1 --network host $image redis-server --bind "$address" \
		--protected-mode no --save '' --enable-debug-command yes >/dev/null
	until_true 10 "redis answers" on client redis-cli -h "$address" PING
	[ "$1" = 0 ] || on client redis-cli -h "$address" debug populate $(($1 * 1040)) key 800 >/dev/null
	start_load 100 --interval-ms 10-30
}

sum() { awk '{ n += $1 } END { print n }'; }
checkpoints_of() { on "$1" sh -c 'echo /var/lib/docker/containers/$(docker inspect -f "{{.Id}}" r1)/checkpoints'; }

# Docker's own commands, as many describe them; beta has the same container beforehand.
by_hand() {
	local from to
	on beta docker create --name r1 --network host $image redis-server --bind "$address" >/dev/null
	from=$(checkpoints_of alpha)
	to=$(checkpoints_of beta)
	on alpha docker checkpoint create r1 moved >/dev/null
	on alpha sh -c "tar -C $from -c moved | ssh beta tar -C $to -x"
	on alpha ip address del "$address/24" dev eth0
	on beta ip address add "$address/24" dev eth0
	# It would wait a second for answers.
	on beta arping -q -c 1 -U -I eth0 "$address" &
	on beta docker start --checkpoint moved r1 >/dev/null
}

by_migrate() {
	on alpha /src/build/ip-takeover migrate --docker r1 --to beta --quiet --remote-program /src/build/ip-takeover
}

# container MIB NAME HOW CONF: a line of the table.
container() {
	local i
	work=$(mktemp -d)
	for ((i = 0; i < rounds; i++)); do
		fresh_container "$1" "$4"
		"$3"
		until_true 60 "redis answers from beta" on client redis-cli -h "$address" -t 1 PING
		end_load
		field "$shared/load.json" longest_wait_s >>"$work/wait"
		field "$shared/load.json" reset >>"$work/reset"
		field "$shared/load.json" wrong >>"$work/wrong"
	done
	printf '| %d MiB | %s | %.3f s | %.3f s | %d | %d |\n' "$1" "$2" "$(median <"$work/wait")" \
		"$(sort -n "$work/wait" | tail -n 1)" "$(sum <"$work/reset")" "$(sum <"$work/wrong")"
	rm -r "$work"
}

containers() (
	# shellcheck source=../../tests/lab/engines.bash
	. "$top/tests/lab/engines.bash"
	echo "## Containers of Docker, 100 clients, $rounds moves each"
	echo
	echo "| memory | how | longest wait, median | longest | reset | wrong |"
	echo "|---|---|---|---|---|---|"
	for mib in 0 400; do
		container $mib "docker checkpoint, tar, ip address, docker start" by_hand 'tcp-established\n'
		container $mib "ip-takeover migrate --docker" by_migrate \
			'tcp-established\nnetwork-lock nftables\nlibdir /src/build/plugin\n'
	done
	echo
)
