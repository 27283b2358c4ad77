#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Containers that podman or docker can run and cannot move: said by --check, on the source, before
# anything is touched.
# shellcheck disable=SC2154 # image, address: of engines and helper

load helper
load engines
load podman

words=(redis-server --bind "$address" --protected-mode no --save '')

at_once=()

# refused ENGINE NAME WHY: it runs on.
refused() {
	local engine=$1 name=$2 why=$3
	until_true 10 "redis answers" on client redis-cli -h "$address" PING
	exits 1 "$why" on alpha /src/build/ip-takeover migrate "--$engine" "$name" --to beta \
		--remote-program /src/build/ip-takeover --check 3>&-
	[ "$(on alpha "$engine" inspect -f '{{.State.Status}}' "$name")" = running ]
}

# refuses ENGINE WHY OPTION...: of ENGINE run.
refuses() {
	local engine=$1 why=$2
	shift 2
	echo "== $engine run $*"
	on alpha "$engine" run --detach --name redis "$@" "$image" "${words[@]}"
	refused "$engine" redis "$why"
	on alpha "$engine" rm --force "${at_once[@]}" redis
}

@test "podman" {
	at_once=(--time 0)
	prepare_podman alpha runc
	prepare_podman beta runc
	refuses podman 'it was run with --rm: podman makes no checkpoint of it' --network host --rm
	refuses podman 'it has a terminal, whose other end is not restored' --network host --tty

	# Podman's own for a pod's namespaces needs a package that is not here.
	on alpha podman create --name pause "$image"
	on alpha podman commit -q --change 'CMD ["sleep", "1000"]' pause localhost/pause
	on alpha podman rm pause
	on alpha sh -c "echo 'infra_image = \"localhost/pause\"' >>/etc/containers/containers.conf"
	on alpha podman pod create --network host --name pod
	refuses podman 'it is a member of a pod, whose other containers would lose it' --pod pod
	on alpha podman pod rm --force --time 0 pod

	on alpha podman run --detach --name other --network host "$image" sleep 1000
	refuses podman 'its network is "container:[0-9a-f]*"; it can move on the host.s network' --network container:other
	refuses podman 'it depends on another container' --network host --pid container:other
	on alpha podman rm --force --time 0 other

	on alpha tee /run/kube.yaml >/dev/null <<-END
	apiVersion: v1
	kind: Pod
	metadata: { name: kube }
	spec:
	  hostNetwork: true
	  containers:
	    - { name: redis, image: $image, imagePullPolicy: Never, args: [redis-server, --bind, $address, --protected-mode, "no"] }
	END
	on alpha podman kube play /run/kube.yaml
	refused podman kube-redis 'podman does not know the command that made it, as of those made by its API or podman kube play'
	on alpha podman pod rm --force --time 0 kube

	on alpha sh -c 'setsid -f podman system service --time 0 unix:///run/podman.sock </dev/null >/dev/null 2>&1'
	until_true 10 "podman's API answers" on alpha curl -sf --unix-socket /run/podman.sock http://d/_ping
	on alpha curl -sf --unix-socket /run/podman.sock -H 'Content-Type: application/json' -d "$(jq -nc --arg image "$image" \
		'{name: "redis", image: $image, netns: {nsmode: "host"}, command: $ARGS.positional}' --args -- "${words[@]}")" \
		http://d/v4.0.0/libpod/containers/create
	on alpha podman start redis
	refused podman redis 'podman does not know the command that made it'
}

@test "docker" {
	local host
	for host in alpha beta; do
		on $host sh -c "mkdir -p /etc/criu && printf 'tcp-established\nnetwork-lock skip\nlibdir /src/build/plugin\n' >/etc/criu/runc.conf"
		start_docker $host
	done
	refuses docker '--rm: what is left of it is gone when its process ends' --network host --rm

	on alpha docker run --detach --name other --network host "$image" sleep 1000
	refuses docker 'HostConfig.PidMode: it shares a namespace with another container' --network host --pid container:other
	on alpha docker rm --force other

	on alpha docker network create --subnet 198.51.100.0/24 br
	words[2]=0.0.0.0
	refuses docker '"br": docker start --checkpoint fails with a network of the container.s own' --network br \
		--publish "$address:6379:6379"

	words[2]=$address
	on alpha ip address del "$address/24" dev eth0
	on alpha docker network create --driver macvlan --opt parent=eth0 --subnet 192.0.2.0/24 lan
	refuses docker '"lan": docker start --checkpoint fails with a network of the container.s own' --network lan --ip "$address"
}
