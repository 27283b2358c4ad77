#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What keeps a container of runc or crun from moving: it runs on with all its connections, one line
# says why and what to do, and nothing is left on either host.
# shellcheck disable=SC2154,SC2016 # variables of helper.bash and faults.bash; code for lab hosts

load helper
load engines
load faults
load runc

eval "lab_$(declare -f teardown)"
teardown() {
	go_on
	lab_teardown
}

migrate() {
	moving
	on alpha /src/build/ip-takeover migrate "${subject[@]}" --to beta --remote-program /src/build/ip-takeover "$@" 3>&-
}

# not_moved TEXT [OPTION...]: the last line has it, and the container runs.
not_moved() {
	local said=$1
	shift
	exits 1 "$said" migrate "$@"
	tail -n 1 "$shared/said" | grep -q -- "$said"
	runs_on alpha
}

last_line_says() {
	cat "$shared/migrate.err"
	tail -n 1 "$shared/migrate.err" | grep -q -- "$1"
}

# As before; nothing of a journal, either.
as_before() {
	local host
	container_is_on alpha
	for host in alpha beta; do until_true 10 "no images are left on $host" no_images "$host"; done
	stayed
}

# After a failure in the middle.
taken_back() {
	over 40
	all_or_nothing
	[ "$owner" = alpha ]
	container_is_on alpha
}

in_preflight() {
	runtime=$1
	busy
	on beta mv /var/bundle/config.json /var/bundle/away
	not_moved 'bundle: /var/bundle/config.json: .*No such file'
	on beta sh -c 'jq -c ".process.args += [\"--port\", \"6380\"]" /var/bundle/away >/var/bundle/config.json'
	not_moved 'bundle: /var/bundle/config.json is another one than on the source'
	on beta mv /var/bundle/away /var/bundle/config.json
	on beta mv /var/bundle/rootfs /var/bundle/away
	not_moved 'bundle: /var/bundle/rootfs.*: No such file'
	on beta mv /var/bundle/away /var/bundle/rootfs
	on beta mv /var/bundle/data /var/bundle/away
	not_moved 'mounts: /var/bundle/data, which the container has at /data, is not here'
	on beta mv /var/bundle/away /var/bundle/data
	on beta sh -c 'mount --bind /dev/null "$(command -v "$1")"' sh "$runtime"
	not_moved "$runtime: no such program"
	on beta sh -c 'umount "$(readlink -f /usr/sbin/$1 || :)" 2>/dev/null || umount "/usr/bin/$1"' sh "$runtime"
	on beta sh -c "mv /etc/criu/$runtime.conf /root"
	not_moved "$runtime: its criu does not load the plugin: /etc/criu/$runtime.conf: No such file"
	on beta sh -c "mv /root/$runtime.conf /etc/criu; sed -i.right /libdir/d /etc/criu/$runtime.conf"
	not_moved "$runtime: its criu does not load the plugin: /etc/criu/$runtime.conf names no libdir that has it"
	on beta mv "/etc/criu/$runtime.conf.right" "/etc/criu/$runtime.conf"
	on alpha mv "/etc/criu/$runtime.conf" /root
	not_moved "$runtime: its criu does not load the plugin: /etc/criu/$runtime.conf: No such file"
	on alpha mv "/root/$runtime.conf" /etc/criu
	on beta sed -i.right "/$address/d" /etc/criu/ip-takeover.conf
	not_moved "$address"
	on beta mv /etc/criu/ip-takeover.conf.right /etc/criu/ip-takeover.conf
	as_before
}

@test "runc: found in preflight" { in_preflight runc; }
@test "crun: found in preflight" { in_preflight crun; }

name_taken() {
	runtime=$1
	busy
	other_container beta stopped
	not_moved 'container: a container "redis" is here already'
	on beta "$runtime" delete redis
	other_container beta running
	not_moved 'container: a container "redis" is here already'
	on beta "$runtime" delete --force redis
	# What is left of one that failed.
	on beta mkdir "/run/$runtime/redis"
	not_moved 'container: a container "redis" is here already'
	on beta rmdir "/run/$runtime/redis"
	as_before
}

@test "runc: its name is taken there" { name_taken runc; }
@test "crun: its name is taken there" { name_taken crun; }

# A container of somebody else's is none to tidy up.
name_taken_later() {
	runtime=$1
	busy
	stopped_at source restore
	other_container beta "$2"
	go_on_from migrate
	over 40
	last_line_says 'was not moved, and runs here: .*exist'
	on beta "$runtime" state redis | grep "\"status\": \"$2\""
	on beta "$runtime" delete --force redis
	taken_back
}

@test "runc: its name is taken there by a running container, after the preflight" { name_taken_later runc running; }
@test "runc: its name is taken there by a stopped container, after the preflight" { name_taken_later runc stopped; }
@test "crun: its name is taken there by a running container, after the preflight" { name_taken_later crun running; }
@test "crun: its name is taken there by a stopped container, after the preflight" { name_taken_later crun stopped; }

# fails_there RUNTIME STEP TEXT COMMAND: done to beta when the source has come to STEP.
fails_there() {
	runtime=$1
	busy
	stopped_at source "$2"
	on beta sh -c "$4"
	go_on_from migrate
	over 40
	last_line_says "was not moved, and runs here: .*$3"
	taken_back
}

@test "runc: its root file system is emptied after the preflight" { fails_there runc restore 'redis' 'rm -r /var/bundle/rootfs/*'; }
@test "crun: its root file system is emptied after the preflight" { fails_there crun restore 'redis' 'rm -r /var/bundle/rootfs/*'; }
@test "runc: a bind mount's source is removed after the preflight" { fails_there runc restore 'data' 'rmdir /var/bundle/data'; }
@test "crun: a bind mount's source is removed after the preflight" { fails_there crun restore 'data' 'rmdir /var/bundle/data'; }
@test "runc: the bundle is removed after the preflight" { fails_there runc restore 'config.json' 'rm /var/bundle/config.json'; }
@test "crun: the bundle is removed after the preflight" { fails_there crun restore 'config.json' 'rm /var/bundle/config.json'; }
@test "runc: its criu is not told of us any more" { fails_there runc restore 'plugin' 'sed -i /libdir/d /etc/criu/runc.conf'; }
@test "crun: its criu is not told of us any more" { fails_there crun restore 'plugin' 'sed -i /libdir/d /etc/criu/crun.conf'; }
@test "runc: no criu there any more" { fails_there runc restore 'criu' 'mount --bind /dev/null $(readlink -f $(command -v criu))'; }

@test "runc: its criu is not told of us any more, on the source: no dump" {
	busy
	stopped_at source dump
	on alpha mv /etc/criu/runc.conf /root
	go_on_from migrate
	over 40
	last_line_says "was not moved, and runs here: .*tcp-established"
	taken_back
}

# Nothing stops criu then.
@test "runc: only the plugin is missing on the source: the images stay" {
	local images
	busy
	stopped_at source dump
	on alpha sed -i /libdir/d /etc/criu/runc.conf
	go_on_from migrate
	over 40
	last_line_says "has ended: its criu has not loaded the plugin.*what runc restore needs to run it again, after ip-takeover claim, stays in /"
	images=$(sed -n 's/.*stays in //p' "$shared/migrate.err")
	on alpha test -e "$images/images/inventory.img"
	until_true 10 "alpha says so" says alpha 'to start it anew here: ip-takeover claim'
	on alpha /src/build/ip-takeover claim "$address"
	on alpha runc restore --detach --tcp-established --image-path="$images/images" --work-path="$images" \
		--bundle /var/bundle redis </dev/null >/dev/null 2>&1
	runs_on alpha
}

full() {
	runtime=runc
	busy
	stopped_at source dump
	on "$1" sh -c 'used=$(df -k --output=used /dev/shm | tail -n 1)
		mount -o remount,size=$((used + 16))k /dev/shm'
	go_on_from migrate
	over
	last_line_says 'was not moved, and runs here: .*[Nn]o space'
	on "$1" mount -o remount,size=1g /dev/shm
	taken_back
}

@test "runc: disk full on the source" { full alpha; }
@test "runc: disk full on the destination" { full beta; }

@test "runc: no place for the images there" {
	busy
	on beta sh -c 'for d in /dev/shm /run /tmp /var/tmp; do mount -t tmpfs -o size=64k tmpfs $d; done; mkdir /run/sshd'
	not_moved 'no place for [0-9]* bytes of images: No space left on device; free'
	on beta umount /dev/shm /run /tmp /var/tmp
	as_before
}

not_running() {
	runtime=$1
	busy
	on alpha "$runtime" pause redis
	exits 1 'container redis is paused; it must run' migrate
	on alpha "$runtime" resume redis
	as_before
}

@test "runc: a container that is paused" { not_running runc; }
@test "crun: a container that is paused" { not_running crun; }

others() {
	runtime=$1
	moving
	prepare_runtime alpha "$runtime"
	prepare_runtime beta "$runtime"
	exits 1 'does not exist\|No such' migrate
	other_container alpha stopped
	exits 1 'container redis is stopped; it must run' migrate
	on alpha "$runtime" delete redis
	# Without a socket on the address.
	other_container alpha running
	exits 1 'no connected or listening socket\|no service address\|address' migrate
	cat "$shared/said"
	on alpha "$runtime" delete --force redis
	no_journal alpha
	no_journal beta
	nothing_left alpha
	nothing_left beta
}

@test "runc: none, a stopped one, one that has no socket on the address" { others runc; }
@test "crun: none, a stopped one, one that has no socket on the address" { others crun; }

@test "runc: a freeze that takes too long" {
	busy
	start_migrate "" restoring --max-freeze 1
	until_true 20 "it stops" is_in_state receive T
	over 20
	last_line_says 'was not moved, and runs here: not done within 1 s (--max-freeze)$'
	signal_to CONT receive
	taken_back
}

# Its keeper refuses, and the runtime's command, which has not begun, is not waited for.
@test "runc: another process has come to use the address after the preflight" {
	busy
	stopped_at source dump
	on alpha setsid -f python3 -m http.server --bind "$address" 8080 </dev/null >/dev/null 2>&1
	until_true 10 "it listens" on alpha sh -c 'ss -Hltn "sport = :8080" | grep -q .'
	go_on_from migrate
	over 10
	last_line_says 'was not moved, and runs here: .*python3'
	on alpha sh -c 'kill $(pgrep -f http[.]server)'
	taken_back
}

@test "runc: the hosts do not reach each other any more" {
	busy
	stopped_at source restore
	cut
	go_on_from migrate
	over 40
	last_line_says 'was not moved, and runs here: '
	until_true 20 "alpha serves again" answers_go_on
	heal
	signal_to TERM receive || :
	taken_back
}
