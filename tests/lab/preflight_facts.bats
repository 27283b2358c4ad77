#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The facts of a service: that they are right, and what of them another host takes.

load helper
load preflight

@test "the facts are right" {
	local f=$shared/facts.json
	begin
	[ "$(field "$f" connections)" = 10 ]
	[ "$(field "$f" 'addresses[0].address')" = $address/24 ]
	[ "$(field "$f" 'macs | index("'"$(mac_of alpha)"'")')" != null ]
	[ "$(jq -c '.ports' "$f")" = '[{"protocol":"tcp","address":"'$address'","port":6379}]' ]
	[ "$(jq -r '.tasks[0].threads[]' "$f" | sort)" = \
		"$(on alpha ls "/proc/$pid/task" | grep -vx "$pid" | sort)" ]
	# Each library that it has mapped, by the build id that file(1) and others show.
	[ "$(on alpha awk '$6 ~ /^\// && !/\(deleted\)/ { print $6 }' "/proc/$pid/maps" | sort -u)" = \
		"$(jq -r '.files | to_entries[] | select(.value.size) | .key' "$f" | sort)" ]
	[ "$(jq '[.files | to_entries[] | select(.key | test("\\.so")) | .value.build_id | strings | length] | unique == [40]' "$f")" = true ]
	[ "$(field "$f" 'files["/tmp"].type')" = directory ]
	[ "$(field "$f" memory)" -gt 1000000 ]
	end_load
}

@test "facts that are none change nothing, and are named" {
	local each line program said before
	begin
	before=$(picture beta)
	while read -r line; do
		program=${line%% => *} said=${line##* => }
		edit "$program"
		for each in beta "alpha --here"; do
			# shellcheck disable=SC2086 # a host with its option
			exits 1 "facts: $said" judge $each
		done
	done <<-'END'
	.facts = 2 => of format 2, this ip-takeover knows 1
	.facts = "1" => expected what another ip-takeover has collected
	[] => expected what another ip-takeover has collected
	del(.version) => version: expected
	.version = ("9" * 65) => version: expected
	.version = "1\u001b" => version: expected
	.criu = -1 => criu: expected
	.machine = 1 => machine: expected
	.kernel = "" => kernel: expected
	.cpu = "A" => cpu: expected
	.cpu = "A===" => cpu: expected
	.cpu = ("A" * 400000) => cpu: expected
	.macs = ["02:00:00:00:00"] => macs: expected
	.macs = ["ff:ff:ff:ff:ff:ff"] => macs: expected
	.macs = [range(300) | "02:00:00:00:00:00"] => macs: expected
	.roots = [] => roots: expected
	.roots = [1] => roots: expected
	.roots = [range(2; 100)] => roots: expected
	.tasks = {} => tasks: expected
	.tasks[0].pid = 4294967298 => tasks: expected
	.tasks[0].root = 77 => tasks: expected
	.tasks[0].threads = [range(2; 140000)] => tasks: expected
	.tasks[0].threads = ["5"] => threads: expected
	.tasks = [range(2; 20000)] => tasks: expected
	.files = [] => files: expected
	.files = {"etc/passwd": {"type": "file", "size": 1}} => files: expected absolute
	.files = {"/a": 1} => files: type
	.files = {"/a": {"type": "socket"}} => files: type
	.files = {"/a": {"type": "file", "size": -1}} => files: size
	.files = {"/a": {"type": "file", "size": 1, "build_id": "x"}} => files: build_id
	.files = {("/a" * 3000): {"type": "fifo"}} => files: expected absolute
	.files = ([range(17000) | {"/\(.)": {"type": "fifo"}}] | add) => files: expected
	.memory = 1e18 => memory: expected
	.memory = 1e300 => memory: expected
	.own_mounts = 0 => own_mounts: expected
	.addresses = null => addresses: expected
	.addresses[0].address = "127.0.0.1/8" => addresses: expected
	.addresses += .addresses => addresses: expected each once
	.addresses = [range(1; 80) | {address: "192.0.2.\(.)/24", present: true}] => addresses: expected at most
	.ports[0].port = 0 => ports: expected
	.ports[0].address = "all" => ports: expected
	.ports[0].protocol = "icmp" => ports: expected
	.ports = [range(5000)] => ports: expected at most
	.others = [range(100)] => others: expected
	.n_others = -1 => others: expected
	.others = [{}] => others: expected
	.connections = "10" => connections: expected
	.strays = null => strays: expected
	.retries2 = 256 => retries2: expected
	.user_timeout_ms = 1.5 => user_timeout_ms: expected
	END
	exits 1 "facts:1: " on beta /src/build/ip-takeover judge <<<'{ "facts": 1, "facts": 1 }'
	exits 1 "facts:1: " on beta /src/build/ip-takeover judge </dev/null
	head -c 17M /dev/zero >"$shared/edited.json"
	exits 1 "expected at most 16 MiB" judge beta
	[ "$(picture beta)" = "$before" ]
	end_load
}

@test "processes that cannot move, and a tree of several" {
	local child
	start_redis
	no_facts() { exits 1 "$1" on alpha /src/build/ip-takeover facts "${@:2}"; }
	no_facts "PID 1 is this host's init" --pid 1
	no_facts "there is no process with PID 999999" --pid 999999
	no_facts "is a thread of PID $pid (redis-server)" --pid "$(on alpha ls "/proc/$pid/task" | tail -n 1)"
	no_facts "PID $pid is named twice" --pid "$pid" --pid "$pid"
	exits 1 "is an ancestor of this ip-takeover" on alpha sh -c '/src/build/ip-takeover facts --pid $$; exit $?'
	exits 1 "is ip-takeover itself" on alpha sh -c 'exec /src/build/ip-takeover facts --pid $$'
	exits 1 "run it as root" on alpha setpriv --reuid 65534 --clear-groups --regid 65534 \
		/src/build/ip-takeover facts --pid "$pid"
	exits 2 "usage: ip-takeover facts" on alpha /src/build/ip-takeover facts --pid 5x
	exits 2 "usage: ip-takeover facts" on alpha /src/build/ip-takeover facts
	spawn alpha sh -c 'sleep 300 & setsid sleep 300 & wait'
	has_children() { [ "$(on alpha pgrep -c -P "$spawned")" = 2 ]; }
	until_true 5 "it has children" has_children
	child=$(on alpha pgrep -P "$spawned" | head -n 1)
	no_facts "PID $child descends from PID $spawned and moves with it" --pid "$child" --pid "$spawned"
	pids=("$pid" "$spawned")
	facts
	[ "$(jq -c '[.tasks[] | select(.root == '"$spawned"') | .pid] | sort' "$shared/facts.json")" = \
		"$(on alpha pgrep -P "$spawned" | cat - <(echo "$spawned") | jq -sc sort)" ]
	[ "$(jq '[.tasks[].root] | unique | length' "$shared/facts.json")" = 2 ]
	on alpha pkill -P "$spawned"
	until_true 5 "it ends" not on alpha test -e "/proc/$spawned"
	no_facts "there is no process with PID $spawned" --pid "$pid" --pid "$spawned"
	# It ends while criu is asked for its version.
	spawn alpha sleep 300
	mkdir "$shared/bin"
	printf '#!/bin/sh\nkill -9 %s\nwhile grep -q "^State:.[^ZX]" /proc/%s/status; do :; done 2>/dev/null\necho Version: 4.2\n' \
		"$spawned" "$spawned" >"$shared/bin/criu"
	chmod 755 "$shared/bin/criu"
	exits 1 "PID $spawned has ended meanwhile" on alpha env PATH="/shared/bin:/usr/bin:/bin" \
		/src/build/ip-takeover facts --pid "$spawned"
}

@test "unlinked files and memory are left out, files of another mount namespace named" {
	start_redis
	spawn alpha python3 -c "if True:
		import mmap, os, signal, socket
		memory = os.memfd_create('/usr/bin/true')
		os.truncate(memory, 4096)
		os.write(os.open('/tmp/gone', os.O_RDWR | os.O_CREAT), b'x' * 4096)
		gone = os.open('/tmp/gone', os.O_RDWR)
		maps = [mmap.mmap(memory, 4096), mmap.mmap(gone, 4096), mmap.mmap(-1, 4096)]
		os.unlink('/tmp/gone')
		kept = os.open('/tmp/a name\nof two lines', os.O_RDWR | os.O_CREAT)
		other = os.open(b'/tmp/\\xff', os.O_RDWR | os.O_CREAT)
		pipe = os.pipe(), socket.socketpair(), os.open('/proc/self/maps', os.O_RDONLY)
		print('ready', flush=True)
		signal.pause()"
	until_true 5 "it is ready" on alpha grep -q ready /tmp/spawned.log
	pids=("$spawned")
	facts
	[ "$(jq '[.files | keys[] | select(test("gone|memfd|true|pipe|socket|proc|zero"))] == []' "$shared/facts.json")" = true ]
	[ "$(jq '.files["/tmp/a name\nof two lines"].size == 0' "$shared/facts.json")" = true ]
	[ "$(field "$shared/facts.json" files_unknown)" = 1 ]
	edit .
	not judged_here
	finding warning files "1 are gone by that name, or have one that is no UTF-8"
	not judged
	finding no files '/tmp/a name\?of two lines is missing'
	on alpha kill "$spawned"
	spawn alpha unshare -m sleep 300
	until_true 5 "it sleeps" on alpha pgrep -x sleep
	pids=("$spawned")
	facts
	edit .
	[ "$(field "$shared/facts.json" own_mounts)" = true ]
	not judged_here
	finding warning files "in a mount namespace of its own: not compared"
	on alpha kill "$spawned"
}

@test "the facts of a thousand connections and five hundred mappings take no time" {
	local begin end
	start_redis
	start_load 1000 --interval-ms 500-1000
	spawn alpha python3 -c "if True:
		import mmap, os, signal
		maps = []
		for i in range(500):
			f = os.open('/tmp/map%d' % i, os.O_RDWR | os.O_CREAT)
			os.truncate(f, 4096)
			maps.append(mmap.mmap(f, 4096))
			os.close(f)
		print('ready', flush=True)
		signal.pause()"
	until_true 5 "it is ready" on alpha grep -q ready /tmp/spawned.log
	pids=("$pid" "$spawned")
	facts
	begin=$(date +%s%N)
	facts
	end=$(date +%s%N)
	echo "# facts took $(((end - begin) / 1000000)) ms" >&3
	[ "$(field "$shared/facts.json" connections)" = 1000 ]
	[ "$(jq '.files | length > 500' "$shared/facts.json")" = true ]
	[ $((end - begin)) -lt 1000000000 ]
	on alpha kill "$spawned"
	end_load
}

@test "a container, and a criu that does not ask plugins: not touched" {
	begin
	edit '.criu = 319 | .container = {runtime: "runc", name: "redis", bundle: "/var/bundle", mounts: []}'
	not judged_here
	finding no criu "3.19 does not let a plugin take part in what a container runtime does"
	remedy criu "CRIU 4.0 or newer"
}
