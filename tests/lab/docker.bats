#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Docker's containers, with a dockerd of its own on each host.

load helper
load engines
load migrate

runc_conf() {
	on "$1" sh -c "mkdir -p /etc/criu && printf 'tcp-established\nnetwork-lock skip\nlibdir /src/build/plugin\n' >/etc/criu/runc.conf"
}

prepare_docker() {
	local host
	for host in alpha beta; do
		runc_conf "$host"
		start_docker "$host"
		on "$host" mkdir -p /srv/data
	done
}

# run_redis [OPTION...]: the container r1 on alpha; sets up $pid.
run_redis() {
	on alpha docker run --detach --name r1 --network host "$@" $image \
		redis-server --bind "$address" --protected-mode no --save ''
	pid=$(on alpha docker inspect -f '{{.State.Pid}}' r1)
	until_true 10 "redis answers" on client redis-cli -h "$address" PING
}

migrate_docker() {
	on "$1" /src/build/ip-takeover migrate --docker r1 --to "$2" --remote-program /src/build/ip-takeover "${@:3}" 3>&-
}

inside() { on "$1" docker exec r1 "${@:2}"; }

# What a person has said of the container, and nothing that is another on each host or each day.
said_of() {
	on "$1" docker inspect r1 | jq -S '.[0] | {Name, Image, Args, Path, Config, HostConfig,
		Mounts: [.Mounts[] | if .Type == "volume" then del(.Name, .Source) else . end]}'
}

runs_on() { [ "$(on "$1" docker inspect -f '{{.State.Running}} {{.State.Restarting}}' r1)" = "true false" ]; }

# no_container HOST: nor anything of one.
no_container() {
	local root
	[ -z "$(on "$1" docker ps --all --quiet --filter name=r1)" ]
	root=$(on "$1" docker info -f '{{.DockerRootDir}}')
	not on "$1" sh -c "ls -d $root/containers/*/checkpoints/* /tmp/ctrd-checkpoint* 2>/dev/null | grep ."
}

# Nothing of the move itself lies around, on either host.
nothing_of_docker() {
	local host
	no_images
	for host in alpha beta; do
		not on "$host" sh -c 'ls -d /var/lib/docker/containers/*/checkpoints/* /tmp/ctrd-checkpoint* 2>/dev/null | grep .'
	done
}

# After a move that failed: on alpha as before, with all its connections.
stayed_here() {
	runs_on alpha
	[ "$(said_of alpha)" = "$before" ]
	[ "$(on alpha docker inspect -f '{{.State.Pid}} {{.RestartCount}}' r1)" = "$pid 0" ]
	end_load
	wire_saw alpha
	nothing_of_docker
}

@test "docker: a container moves with 100 clients, and back" {
	prepare_docker
	run_redis --restart unless-stopped --env A=b --label x=y --pids-limit 100 --cpu-shares 512 \
		--stop-timeout 7 --ulimit nofile=20000:20000 --volume /srv/data:/srv --log-opt max-size=1m
	inside alpha sh -c 'echo hello >/etc/file; chown 7:8 /etc/file; rm /bin/vi; rm -r /tmp; mkdir /tmp; ln -s x /etc/link; mknod /etc/fifo p'
	said_of alpha >"$shared/before"
	start_load 100
	migrate_docker alpha beta
	runs_on beta
	no_container alpha
	diff <(said_of beta) "$shared/before"
	[ "$(inside beta sh -c 'cat /etc/file; stat -c %u:%g /etc/file; readlink /etc/link; hostname')" = $'hello\n7:8\nx\nalpha' ]
	inside beta sh -c '[ -p /etc/fifo ] && [ ! -e /bin/vi ] && [ "$A" = b ]'
	inside beta sh -c 'echo there >/etc/file; rm /bin/cp'
	nothing_of_docker
	migrate_docker beta alpha
	runs_on alpha
	no_container beta
	diff <(said_of alpha) "$shared/before"
	[ "$(inside alpha cat /etc/file)" = there ]
	inside alpha sh -c '[ ! -e /bin/vi ] && [ ! -e /bin/cp ]'
	end_load
	wire_saw alpha beta alpha
	nothing_of_docker
	on client redis-cli -h "$address" shutdown || :
	until_true 10 "docker starts it again" runs_on alpha
}

@test "docker: volumes of its own, larger than its memory and layer, go with it" {
	prepare_docker
	run_redis --volume /var/own
	inside alpha sh -c 'dd if=/dev/urandom of=/var/own/file bs=1048576 count=400; for i in $(seq 2000); do echo $i >/var/own/$i; done'
	start_load 20
	exits 1 "about .* s for 4.. MiB and 20 connections, longer than 1 s" migrate_docker alpha beta --max-freeze 1
	migrate_docker alpha beta
	[ "$(inside beta sh -c 'ls /var/own | wc -l; wc -c </var/own/file' | tr '\n' ' ')" = "2001 419430400 " ]
	end_load
	nothing_of_docker
}

@test "docker: volumes of its own go with it, named ones are looked for" {
	prepare_docker
	run_redis --volume /var/own --volume kept:/var/kept
	inside alpha sh -c 'echo own >/var/own/file'
	exits 1 "volume kept is not here, and its contents are not copied" migrate_docker alpha beta
	on beta docker volume create kept
	migrate_docker alpha beta --check | grep "warning *beta *volumes *volume kept is here; its contents are not copied"
	start_load 10
	migrate_docker alpha beta
	[ "$(inside beta cat /var/own/file)" = own ]
	inside beta test ! -e /var/kept/file
	on alpha docker volume inspect kept
	[ "$(on alpha docker volume ls --quiet)" = kept ]
	end_load
}

@test "docker: a terminal goes with it" {
	prepare_docker
	run_redis --tty
	start_load 100
	migrate_docker alpha beta
	inside beta sh -c 'echo to the terminal >/proc/1/fd/1'
	until_true 5 "it is in docker's log" on beta sh -c 'docker logs r1 | grep "to the terminal"'
	end_load
	wire_saw alpha beta
}

@test "docker: an image that is not there is sent first" {
	prepare_docker
	run_redis
	id=$(on alpha docker image inspect -f '{{.Id}}' $image)
	on beta docker image rm $image
	migrate_docker alpha beta --check | grep "image *$id is not here: it is sent"
	[ -z "$(on beta docker image ls --quiet)" ]
	start_load 10
	migrate_docker alpha beta | grep "sending to beta: image $id"
	[ "$(on beta docker image inspect -f '{{.Id}}' $image)" = "$id" ]
	[ "$(on beta docker inspect -f '{{.Config.Image}}' r1)" = "$image" ]
	end_load
	wire_saw alpha beta
}

@test "docker: what is in the way is found before anything is touched" {
	prepare_docker
	exits 1 "No such container: r1" migrate_docker alpha beta
	run_redis --restart always --volume /srv/data:/srv
	before=$(said_of alpha)
	start_load 10

	on beta rmdir /srv/data
	exits 1 "/srv/data, which the container has at /srv, is not here" migrate_docker alpha beta
	on beta mkdir /srv/data

	on beta docker create --name r1 $image
	exits 1 'a container "r1" is here already' migrate_docker alpha beta
	on beta docker rm r1

	on beta mv /etc/criu/runc.conf /etc/criu/away
	exits 1 "its criu does not load the plugin: /etc/criu/runc.conf" migrate_docker alpha beta
	on beta mv /etc/criu/away /etc/criu/runc.conf
	on alpha mv /etc/criu/runc.conf /etc/criu/away
	exits 1 "its criu does not load the plugin: /etc/criu/runc.conf" migrate_docker alpha beta
	on alpha mv /etc/criu/away /etc/criu/runc.conf

	# Neither sent: there is no room for it.
	on beta docker image rm $image
	on beta mount -o remount,size=9m /var/lib/docker
	exits 1 "image sha256:.* cannot be sent: .*no space left" migrate_docker alpha beta
	on beta mount -o remount,size=500m /var/lib/docker
	on beta docker load -q -i /shared/redis.tar

	inside alpha dd if=/dev/zero of=/big bs=1M count=50
	on beta mount -o remount,size=60m /var/lib/docker
	exits 1 "its files have 50 MiB, there are" migrate_docker alpha beta
	on beta mount -o remount,size=500m /var/lib/docker

	end_docker beta
	exits 1 "dockerd does not answer at /run/docker.sock" migrate_docker alpha beta
	stayed_here

	on alpha docker pause r1
	exits 1 "container r1 is paused; first: docker unpause r1" migrate_docker alpha beta
	on alpha docker rm -f r1
	on alpha docker run --detach --rm --name r1 --network none $image
	exits 1 "without --rm" migrate_docker alpha beta
	exits 1 "bind-mount /proc/0/ns/net" migrate_docker alpha beta
}

# end_docker HOST: as by a crash.
end_docker() {
	on "$1" sh -c 'kill -KILL $(cat /run/docker.pid)'
	until_true 5 "no dockerd on $1" not on "$1" docker version
}

# fails_there TEXT SCRIPT: the move fails by what SCRIPT does on beta once the container has been
# made there.
fails_there() {
	local script
	on beta sh -c "until ls -d /var/lib/docker/containers/*/ >/dev/null 2>&1; do :; done; $2" 3>&- &
	script=$!
	exits 1 "$1" migrate_docker alpha beta
	wait $script
	grep "was not moved, and runs here" "$shared/said"
	runs_on alpha
	no_container beta
	forget alpha
	no_journal beta || forget beta
}

@test "docker: a restore that fails leaves it where it is" {
	prepare_docker
	run_redis --restart always --volume /srv/data:/srv
	inside alpha dd if=/dev/zero of=/big bs=1M count=20
	before=$(said_of alpha)
	start_load 100

	echo "# a bind's source that is another then"
	fails_there "not a directory" 'rmdir /srv/data; : >/srv/data'
	on beta sh -c 'rm /srv/data; mkdir /srv/data'

	echo "# a port that is taken then"
	fails_there "6379" 'setsid -f busybox nc -l -p 6379 </dev/null >/dev/null 2>&1'
	on beta pkill -x busybox

	echo "# no room for its files"
	fails_there "No space left\|Wrote only" 'mount -o remount,size=32m /var/lib/docker'
	on beta mount -o remount,size=500m /var/lib/docker

	stayed_here
}

# killed_when HOST FILE: dockerd, as soon as there is such a file.
killed_when() {
	on "$1" sh -c "until ls -d $2 >/dev/null 2>&1; do :; done; kill -KILL \$(cat /run/docker.pid)" 3>&- &
}

@test "docker: dockerd killed there, when it has made the container" {
	prepare_docker
	run_redis --restart always
	before=$(said_of alpha)
	start_load 100
	killed_when beta '/var/lib/docker/containers/*/hostconfig.json'
	exits 1 "was not moved, and runs here" migrate_docker alpha beta
	stayed_here
}

@test "docker: dockerd killed there, when it restores" {
	prepare_docker
	run_redis --restart always
	before=$(said_of alpha)
	start_load 100
	killed_when beta '/var/lib/docker/containers/*/checkpoints/ip-takeover'
	exits 1 "was not moved, and runs here" migrate_docker alpha beta
	forget alpha
	stayed_here
}

# dockerd_killed_at FILE: on alpha, which may be before the commit or behind it. One of the hosts
# has it, and its clients have noticed nothing.
dockerd_killed_at() {
	local owner=alpha other=beta
	prepare_docker
	run_redis --restart always --volume /srv/data:/srv
	start_load 100
	killed_when alpha "$1"
	if migrate_docker alpha beta >"$shared/said" 2>&1; then
		grep "what is left of it here is not removed: dockerd does not answer" "$shared/said"
		owner=beta other=alpha
		runs_on beta
	else
		grep "was not moved, and runs here" "$shared/said"
		grep "its restart policy stays .no.: dockerd does not answer" "$shared/said"
		no_container beta
	fi
	cat "$shared/said"
	answers_go_on
	not holds_address $other
	until_true 5 "no redis is left on $other" no_process $other
	[ "$(who_has)" = "$(mac_of $owner)" ]
	end_load
	if [ $owner = alpha ]; then wire_saw alpha; else wire_saw alpha beta; fi
	no_images
}

@test "docker: dockerd killed here, when it begins to dump" { dockerd_killed_at '/tmp/ctrd-checkpoint*'; }
@test "docker: dockerd killed here, while criu dumps" { dockerd_killed_at '/run/ip-takeover/armed-*.images'; }
@test "docker: dockerd killed here, while the other host restores" { dockerd_killed_at '/tmp/ip-takeover-images-*'; }

# run_pause HOST ADDRESS: the container "pause" with a network of its own, as a macvlan of eth0.
run_pause() {
	on "$1" docker network create --driver macvlan --opt parent=eth0 --subnet 192.0.2.0/24 mv
	on "$1" docker run --detach --name pause --network mv --ip "$2" $image sleep 100000
}

in_pause() { on "$1" sh -c 'exec nsenter --net=/proc/$(docker inspect -f "{{.State.Pid}}" pause)/ns/net "$@"' sh "${@:2}"; }
mac_of_pause() { in_pause "$1" ip -json link show dev eth0 | jq -r ".[0].address"; }

@test "docker: --network container:PAUSE, whose network is a macvlan" {
	prepare_docker
	# As make install has it: criu locks the whole namespace, and does not unlock it.
	on alpha sed -i s/skip/nftables/ /etc/criu/runc.conf
	on beta sed -i s/skip/nftables/ /etc/criu/runc.conf
	on alpha ip address del "$address/24" dev eth0
	run_pause alpha 192.0.2.11
	in_pause alpha ip address add "$address/24" dev eth0
	on alpha docker run --detach --name r1 --network container:pause $image \
		redis-server --bind "$address" --protected-mode no --save ''
	until_true 10 "redis answers" on client redis-cli -h "$address" PING
	start_load 100
	exits 1 'the container whose network it shares: docker: No such container: pause' migrate_docker alpha beta
	run_pause beta 192.0.2.12
	macs="$(mac_of_pause alpha) $(mac_of_pause beta) $(mac_of_pause alpha) "
	migrate_docker alpha beta
	runs_on beta
	not in_pause alpha sh -c "ip -o address | grep '$address/'"
	no_container alpha
	until_true 15 "the keepers of alpha end" no_keeper alpha
	not in_pause alpha sh -c 'nft list tables | grep CRIU'
	migrate_docker beta alpha
	runs_on alpha
	not in_pause beta sh -c "ip -o address | grep '$address/'"
	no_container beta
	end_load
	on client pkill -INT -x tcpdump
	until_true 5 "tcpdump ends" on client sh -c '! pgrep -x tcpdump'
	[ -z "$(on client tcpdump -nnr /shared/capture "$forbidden" 2>/dev/null)" ]
	spoke=$(on client tcpdump -nner /shared/capture "src host $address" 2>/dev/null | awk '{print $2}' | uniq | tr '\n' ' ')
	echo "spoke: $spoke, expected: $macs"
	[ "$spoke" = "$macs" ]
	nothing_of_docker
}

# bridged_pause HOST INNER-ADDRESS: "pause" on a bridge, with a published port.
bridged_pause() {
	on "$1" docker network create --subnet 198.51.100.0/24 br
	on "$1" docker run --detach --name pause --network br --ip "$2" --publish 6379:6379 $image sleep 100000
}

@test "docker: --network container:PAUSE, whose ports are published" {
	prepare_docker
	bridged_pause alpha 198.51.100.10
	on alpha docker run --detach --name r1 --network container:pause $image \
		redis-server --bind 0.0.0.0 --protected-mode no --save ''
	until_true 10 "redis answers" on client redis-cli -h "$address" PING
	start_load 100
	bridged_pause beta 198.51.100.11
	exits 1 'it has not the address 198.51.100.10, to which the published ports lead' migrate_docker alpha beta
	on beta docker rm --force pause
	on beta docker network rm br
	bridged_pause beta 198.51.100.10
	migrate_docker alpha beta
	runs_on beta
	no_container alpha
	migrate_docker beta alpha
	runs_on alpha
	no_container beta
	end_load
	wire_saw alpha beta alpha
	nothing_of_docker
}
