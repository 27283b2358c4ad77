#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Containers of podman.

load helper
load engines
load migrate
load podman

there_and_back() {
	prepare_podman alpha "$1"
	prepare_podman beta "$1"
	run_podman alpha -it=false --network host --label colour=blue --env A=b --env=HOSTNAME=redis \
		--restart always --workdir /tmp --read-only-tmpfs --init=false
	description_of alpha >"$shared/before"
	podman_there_and_back
	description_of alpha >"$shared/after"
	diff "$shared/before" "$shared/after"
	wire_saw alpha beta alpha
	no_images
}

@test "podman with runc: a container moves with 100 clients, and back" {
	there_and_back runc
}

@test "podman with crun: a container moves with 100 clients, and back" {
	there_and_back crun
}

@test "podman with runc: a container on macvlan moves with 100 clients, and back" {
	macvlan_there_and_back runc
}

@test "podman: files written and deleted in the container are so after the move" {
	prepare_podman alpha runc
	prepare_podman beta runc
	run_podman alpha --network host
	on alpha podman exec redis sh -c 'echo one >/data/one; rm /bin/vi; mkdir /data/d; ln -s one /data/two; rm -r /tmp; mkdir /tmp; chmod 1777 /tmp; echo shm >/dev/shm/s; chown 7:8 /data/one'
	on alpha podman diff redis | sort >"$shared/before"
	start_load 100
	migrate_podman alpha beta
	end_load
	on beta podman diff redis | sort >"$shared/after"
	diff "$shared/before" "$shared/after"
	[ "$(on beta podman exec redis sh -c 'cat /data/two; stat -c %u:%g /data/one; ls /bin/vi 2>&1; cat /dev/shm/s')" = "one
7:8
ls: /bin/vi: No such file or directory
shm" ]
}

@test "podman: where the image, the name or a bind mount is missing or taken, preflight says so" {
	prepare_podman alpha runc
	prepare_podman beta runc
	on alpha mkdir /srv/data
	run_podman alpha --network host --volume /srv/data:/data
	start_load 100
	on beta podman rmi "$image"
	exits 1 "redis:latest is not here: it is sent" migrate_podman alpha beta --check
	exits 1 "/srv/data, which the container has at /data, is not here" migrate_podman alpha beta
	on beta mkdir /srv/data
	on beta podman load -q -i /shared/redis.tar
	on beta podman create --name redis "$image"
	exits 1 'a container "redis" is here already' migrate_podman alpha beta
	container_is beta created
	on beta podman rm redis
	on beta podman rmi "$image"
	migrate_podman alpha beta
	end_load
	[ "$(on beta podman container inspect --format '{{.ImageName}}' redis)" = "$image:latest" ]
}

@test "podman: an image that cannot be sent, and another one of that name" {
	prepare_podman alpha runc
	prepare_podman beta runc
	run_podman alpha --network host
	start_load 100
	on beta sh -c "podman tag $image old && podman rmi $image && podman commit -q \$(podman create old) $image && podman rm -a && podman rmi old"
	exits 1 "redis:latest is another image here" migrate_podman alpha beta
	on beta podman rmi "$image"
	on beta mount -o remount,size=1m /var/lib/containers
	exits 0 "cannot be sent" stays_here
}

@test "podman: a network that is not there" {
	on_macvlan runc
	on beta podman network rm lan
	start_load 100
	exits 0 'no network "lan" is here' stays_here
}

@test "podman with runc: a restore that fails at once" {
	prepare_podman alpha runc
	prepare_podman beta runc
	run_podman alpha --network host
	restore_fails runc pre-restore
}

# A guard outside of all containers, of a process that nobody can have.
shut_off_by_the_dead() {
	on "$1" nft add table netdev ip-takeover-outer-4194304
	on "$1" nft add chain netdev ip-takeover-outer-4194304 in0 \
		'{ type filter hook ingress device eth0 priority -500; }'
	on "$1" nft add rule netdev ip-takeover-outer-4194304 in0 \
		ether daddr "$(on alpha podman container inspect redis | jq -r '.[0].NetworkSettings.Networks.lan.MacAddress')" drop
}

# podman on beta, asked to restore, first kills who has asked.
@test "podman: ip-takeover receive killed before a restore on macvlan" {
	on_macvlan runc
	on beta mv /usr/bin/podman /usr/bin/podman.real
	on beta sh -c 'printf "#!/bin/sh\ncase \$* in *restore*) kill -9 \$PPID; esac\nexec podman.real \"\$@\"\n" >/usr/bin/podman && chmod +x /usr/bin/podman'
	start_load 100
	not migrate_podman alpha beta
	container_is alpha running
	until_true 10 "podman on beta ends" on beta sh -c '! pgrep -f "podman.real container [r]estore"'
	not container_is beta running
	on beta nft list tables | grep -q "netdev ip-takeover-outer-"
	on beta /src/build/ip-takeover clean
	on beta podman rm -f redis
	end_load
	nothing_left alpha
	nothing_left beta
	# Nothing stands in the way of the next one, which clears up itself.
	on beta mv /usr/bin/podman.real /usr/bin/podman
	shut_off_by_the_dead beta
	start_load 100
	migrate_podman alpha beta
	end_load
	not on beta sh -c 'nft list tables | grep ip-takeover-outer'
}

