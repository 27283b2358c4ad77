#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# ip-takeover arm, then podman's and crun's own commands on either host: nobody else knows of the
# move. Docker's are in readme_containers.bats, runc's in arm.bats.
# shellcheck disable=SC2154 # variables of helper and engines

load helper
load engines
load podman

archive=/shared/redis.tar.checkpoint

moved_by_hand() {
	end_load
	wire_saw alpha beta
	holds_address beta
	[ "$(on client redis-cli -h "$address" GET key)" = there ]
	is_clean alpha
	nothing_left beta
}

# by_podman RUNTIME [OPTION_OF_RESTORE...]
by_podman() {
	prepare_podman alpha "$1"
	prepare_podman beta "$1"
	run_podman alpha --network host
	on client redis-cli -h "$address" SET key there
	start_load 100
	on alpha /src/build/ip-takeover arm --podman redis
	on alpha podman container checkpoint --tcp-established --compress none --export $archive redis
	not holds_address alpha
	container_is alpha exited
	on beta podman container restore --tcp-established --import $archive
	container_is beta running
	moved_by_hand
	on alpha podman rm redis
	# What has come so goes on by migrate, too.
	start_load 100
	migrate_podman beta alpha
	container_is alpha running
	end_load
}

@test "podman with runc: arm, checkpoint --export, restore --import" { by_podman runc; }
@test "podman with crun: arm, checkpoint --export, restore --import" { by_podman crun; }

@test "crun: arm, checkpoint, restore" {
	prepare_runtime alpha crun
	prepare_runtime beta crun
	run_container crun
	on client redis-cli -h "$address" SET key there
	start_load 100
	on alpha /src/build/ip-takeover arm --crun redis
	on alpha crun checkpoint --image-path /shared/images --work-path /shared/images redis
	not holds_address alpha
	on beta crun restore --detach --image-path /shared/images --work-path /shared/images --bundle /var/bundle redis \
		</dev/null >/dev/null 2>&1
	moved_by_hand
	on beta crun state redis | jq -e '.status == "running"'
}
