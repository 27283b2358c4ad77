#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Containers of podman: more of what can fail, and by both runtimes. Of `make faults`; podman.bats has a
# sample.

load helper
load engines
load migrate
load podman

# Once: our own script has waited for the commit before, and then there is no way back.
fails_behind_commit() {
	fail_restore beta "$1" post-restore "mkdir /run/failed"
	start_load 100
	migrate_podman alpha beta
	on beta test -d /run/failed
	container_is beta running
	no_container alpha
	end_load
	no_images
	nothing_left alpha
	nothing_left beta
}

dump_fails() {
	prepare_podman alpha runc
	prepare_podman beta runc
	run_podman alpha --network host
	fail_restore alpha runc "$@"
	start_load 100
	stays_here
	no_container beta
	# It can move when that is mended.
	on alpha sed -i /fail/d /etc/criu/runc.conf
	start_load 100
	migrate_podman alpha beta
	end_load
	no_container alpha
}

@test "podman with crun: a container on macvlan moves with 100 clients, and back" {
	macvlan_there_and_back crun
}

@test "podman: a bind mount that was typed as a relative path" {
	prepare_podman alpha runc
	prepare_podman beta runc
	on alpha mkdir /srv/data
	on beta mkdir /srv/data /root/data
	on alpha sh -c "cd /srv && podman run -d --name redis --network host -v ./data:/data $image redis-server --bind $address --protected-mode no --save ''"
	until_true 10 "redis answers" on client redis-cli -h "$address" PING
	start_load 100
	exits 0 "would not have /srv/data at /data" stays_here
	no_container beta
}

@test "podman with crun: a restore that fails" {
	prepare_podman alpha crun
	prepare_podman beta crun
	run_podman alpha --network host
	restore_fails crun post-setup-namespaces
}

@test "podman with runc: a restore on macvlan that fails at once" {
	on_macvlan runc
	restore_fails runc pre-restore
}

@test "podman with crun: a restore on macvlan that fails" {
	on_macvlan crun
	restore_fails crun post-setup-namespaces
}

@test "podman: no room there" {
	prepare_podman alpha runc
	prepare_podman beta runc
	on beta mount -o remount,size=80m /var/lib/containers
	run_podman alpha --network host
	start_load 100
	stays_here
	no_container beta
}

@test "podman with crun: a restore that fails behind the commit is done once more" {
	prepare_podman alpha crun
	prepare_podman beta crun
	run_podman alpha --network host
	fails_behind_commit crun
}

@test "podman with runc: a restore on macvlan that fails behind the commit is done once more" {
	on_macvlan runc
	fails_behind_commit runc
}

@test "podman: a dump that fails" {
	dump_fails pre-dump
}

@test "podman: itself killed while criu dumps" {
	dump_fails pre-dump 'pkill -9 -x podman'
}
