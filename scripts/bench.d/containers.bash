# SPDX-License-Identifier: GPL-2.0-only
# Containers there and back, by one command, and by the steps of a script that somebody writes for
# himself: the runtime's own checkpoint, a copy over ssh, ip address, arping, the runtime's restore.
# MOVES=n (default 6) of each.
# shellcheck disable=SC2154,SC2016,SC2034 # variables of bench and of the tests' files; what the hosts expand

BATS_TEST_DIRNAME=$top/tests/lab
# shellcheck source=../../tests/lab/engines.bash
. "$top/tests/lab/engines.bash"
# shellcheck source=../../tests/lab/podman.bash
. "$top/tests/lab/podman.bash"

# As `make install RUNTIMES=` sets it up; for the steps by hand only what docker needs.
criu_conf() {
	local lines=('tcp-established')
	[ "$how" = hand ] || lines+=('libdir /src/build/plugin' 'network-lock nftables')
	printf '%s\n' "${lines[@]}" | on "$1" sh -c "mkdir -p /etc/criu; cat >/etc/criu/runc.conf"
}

# pause_of HOST ADDRESS: the container "pause", on macvlan, whose network redis shares.
pause_of() {
	on "$1" docker network create --driver macvlan --opt parent=eth0 --subnet 192.0.2.0/24 lan
	on "$1" docker run --detach --name pause --network lan --ip "$2" "$image" sleep 100000
}

docker_up() {
	local net=$1 args
	start_docker alpha
	start_docker beta
	if [ "$1" = pause ]; then
		net=container:pause
		pause_of alpha 192.0.2.11
		pause_of beta 192.0.2.12
		on alpha ip address del "$address/24" dev eth0
		on alpha sh -c 'nsenter --net=/proc/$(docker inspect -f "{{.State.Pid}}" pause)/ns/net ip address add "$1/24" dev eth0' sh "$address"
	fi
	args=(--name redis --network "$net" "$image" redis-server --bind "$address" --protected-mode no --save '')
	on alpha docker run --detach "${args[@]}"
	[ "$how" = ours ] || on beta docker create "${args[@]}"
}

# The engine's own directory of checkpoints, into the other's.
docker_by_hand() {
	on "$1" sh -ec 'there=/var/lib/docker/containers
		id=$(docker inspect -f "{{.Id}}" redis)
		other=$(ssh "$1" docker inspect -f "{{.Id}}" redis)
		in= in_there=
		if [ "$4" = pause ]; then
			in="nsenter --net=/proc/$(docker inspect -f "{{.State.Pid}}" pause)/ns/net"
			in_there="nsenter --net=/proc/$(ssh "$1" docker inspect -f "{{.State.Pid}}" pause)/ns/net"
		fi
		docker checkpoint create redis "$2"
		$in ip address del "$3/24" dev eth0
		tar -C $there/$id/checkpoints -c "$2" | ssh "$1" "tar -C $there/$other/checkpoints -x
			$in_there ip address add $3/24 dev eth0
			$in_there arping -q -U -c 1 -I eth0 $3
			docker start --checkpoint $2 redis"' hand "$2" "move$3" "$address" "$network"
}

podman_up() {
	local host bind=$address net=(--network host)
	for host in alpha beta; do
		prepare_podman $host runc
		case $1 in
		macvlan)
			macvlan_network $host
			net=(--network lan --ip "$address")
			;;
		bridge)
			on $host podman network create --disable-dns --subnet 198.51.100.0/24 inner
			net=(--network inner --ip 198.51.100.10 --publish "$address:6379:6379") bind=0.0.0.0
			;;
		esac
	done
	[ "$1" != macvlan ] || on alpha ip address del "$address/24" dev eth0
	on alpha podman run --detach --name redis "${net[@]}" "$image" redis-server --bind "$bind" --protected-mode no --save ''
}

# On macvlan podman brings the address.
podman_by_hand() {
	on "$1" sh -ec 'podman container checkpoint --tcp-established --export /tmp/redis.tar redis
		[ "$3" = macvlan ] || ip address del "$2/24" dev eth0
		scp -q /tmp/redis.tar "$1:/tmp"
		ssh "$1" "[ $3 = macvlan ] || { ip address add $2/24 dev eth0; arping -q -U -c 1 -I eth0 $2; }
			podman container restore --tcp-established --import /tmp/redis.tar"
		podman rm redis' hand "$2" "$address" "$network"
}

runc_up() {
	prepare_runtime alpha runc
	prepare_runtime beta runc
	criu_conf alpha
	criu_conf beta
	run_container runc
}

runc_by_hand() {
	on "$1" sh -ec 'rm -rf /tmp/images
		runc checkpoint --tcp-established --image-path /tmp/images redis
		ip address del "$2/24" dev eth0
		ssh "$1" rm -rf /tmp/images
		tar -C /tmp -c images | ssh "$1" "tar -C /tmp -x
			ip address add $2/24 dev eth0
			arping -q -U -c 1 -I eth0 $2
			runc restore --detach --tcp-established --image-path /tmp/images --bundle /var/bundle redis </dev/null >/dev/null 2>&1"' hand "$2" "$address"
}

# move FROM TO NUMBER
move_container() {
	if [ "$how" = ours ]; then
		on "$1" /src/build/ip-takeover migrate "--$runtime" redis --to "$2" --remote-program /src/build/ip-takeover
	else
		"${runtime}_by_hand" "$1" "$2" "$3"
	fi
}

# What criu's own lock leaves on a host that the container has left: by hand, again.
forget_locks() {
	[ "$how" = ours ] && return
	on "$1" sh -c 'iptables -S INPUT; iptables -S OUTPUT' 2>/dev/null | sed -n 's/^-A \(.*0xc114.*\)/\1/p' |
		while read -r rule; do on "$1" sh -c "iptables -D $rule" 3>&-; done
}

# Each move has clients of its own: those that are reset count once.
container_moves() {
	local i from=alpha to=beta failed=0
	"$top/scripts/lab" down >/dev/null
	LAB_WITH=containers "$top/scripts/lab" up >/dev/null
	[ ! -e "$work/redis.tar" ] || cp "$work/redis.tar" "$shared/"
	"${runtime}_up" "$network" >/dev/null
	cp "$shared/redis.tar" "$work/"
	criu_conf alpha
	criu_conf beta
	for i in reset wrong wait; do : >"$work/$i"; done
	for ((i = 0; i < moves; i++)); do
		until_true 30 "redis answers" on client redis-cli -h "$address" -t 2 ping
		start_load 100 --interval-ms 10-30
		move_container "$from" "$to" $i >"$work/said" 2>&1 || { failed=$((failed + 1)); cat "$work/said" >&2; break; }
		# The time itself is the point: restored sockets' first timers take seconds.
		sleep 4
		end_load
		field "$shared/load.json" reset >>"$work/reset"
		field "$shared/load.json" wrong >>"$work/wrong"
		jq '.longest_wait_s * 1000' "$shared/load.json" >>"$work/wait"
		until_true 20 "$from's keeper ends" no_keeper "$from"
		until_true 20 "$to's keeper ends" no_keeper "$to"
		[ "$how" = hand ] || on "$from" /src/build/ip-takeover report >>"${REPORTS:-$work}/report.$runtime.$network" 2>&1 || :
		forget_locks "$from"
		read -r from to <<<"$to $from"
	done
	printf '| %s, %s | %s | %d | %d | %d | %d | %.0f ms | %.0f ms |\n' "$runtime" "$network" \
		"$([ "$how" = ours ] && echo 'ip-takeover migrate' || echo 'by hand')" \
		"$i" "$failed" "$(awk '{ n += $1 } END { print n }' "$work/reset")" \
		"$(awk '{ n += $1 } END { print n }' "$work/wrong")" \
		"$(median <"$work/wait")" "$(sort -n "$work/wait" | tail -n 1)"
}

containers() {
	local what runtime network how moves=${MOVES:-6}
	work=$(mktemp -d)
	echo "## $moves moves of a container there and back, 100 clients each"
	echo
	echo "By hand: the runtime's checkpoint, a copy over ssh, ip address, arping, the runtime's restore."
	echo "The waits are of the clients that were not reset."
	echo
	echo "| container, network | how | moved | failed | clients reset | wrong | longest wait, median | longest |"
	echo "|---|---|---|---|---|---|---|---|"
	for what in ${CONTAINERS:-docker.host docker.pause podman.host podman.macvlan podman.bridge runc.host}; do
		runtime=${what%.*} network=${what#*.}
		for how in ours hand; do
			container_moves
		done
	done
	rm -r "$work"
	echo
}
