#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What is found out before a service moves: its facts on alpha, judged on beta and on alpha.

load helper

facts() { on alpha /src/build/ip-takeover facts "${pids[@]/#/--pid=}" >"$shared/facts.json"; }

# edit JQ-PROGRAM: what another source would have said.
edit() {
	jq "$@" "$shared/facts.json" >"$shared/edited.json"
}

# judge HOST [OPTION...] of what edit has made.
judge() { on "$1" /src/build/ip-takeover judge "${@:2}" <"$shared/edited.json"; }
judged() { judge beta >"$shared/said" 2>&1; }
judged_here() { judge alpha --here "$@" >"$shared/said" 2>&1; }

# Lines among what was said: finding STATE NAME TEXT; remedy NAME TEXT.
finding() { grep -qE "^$1 +$2  .*$3" "$shared/said" || { cat "$shared/said"; return 1; }; }
remedy() { grep -E -A1 "^[a-z]+ +$1  " "$shared/said" | grep -qE -- "^ +-> .*$2" || { cat "$shared/said"; return 1; }; }
all_ok() { not grep -vE '^ok ' "$shared/said"; }

# refused NAME TEXT REMEDY: beta says no, for this reason only.
refused() {
	not judged
	finding no "$1" "$2"
	remedy "$1" "$3"
	[ "$(grep -E '^(no|warning) ' "$shared/said" | grep -cvE "^no +$1  ")" = 0 ] || { cat "$shared/said"; return 1; }
}

goes() { judged && all_ok || { cat "$shared/said"; return 1; }; }

begin() {
	start_redis
	start_load "${1:-10}" --interval-ms 10-30
	pids=("$pid")
	facts
	edit .
}

# spawn HOST CMD...: sets $spawned.
spawn() {
	on "$1" sh -c 'setsid "$@" </dev/null >/tmp/spawned.log 2>&1 & echo $! >/run/spawned.pid' sh "${@:2}"
	spawned=$(on "$1" cat /run/spawned.pid)
}

listens() { on "$1" ss -Hltn "src $2" | grep -q .; }
configured() { on "$1" sed -i "$2" /etc/criu/ip-takeover.conf; }

# with_pid HOST PID CMD...: in the background, with this PID.
with_pid() {
	on "$1" sh -c 'read -r last </proc/sys/kernel/ns_last_pid
		echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid
		shift
		"$@" </dev/null >/dev/null 2>&1 & echo $! >/run/spawned.pid
		echo "$last" >/proc/sys/kernel/ns_last_pid' sh "${@:2}"
	spawned=$(on "$1" cat /run/spawned.pid)
	[ "$spawned" = "$2" ]
}

picture() {
	on "$1" sh -c 'ip -o address; ip -o route; nft list ruleset; ls -A /run /tmp /run/ip-takeover 2>&1 | grep -v kdat'
}

@test "a busy redis can move; to ask changes nothing" {
	local before
	start_redis
	start_load 10 --interval-ms 10-30
	pids=("$pid")
	before=$(picture alpha; picture beta)
	facts
	edit .
	goes
	finding ok files "all [0-9]+ are here, and the same"
	finding ok "owner $address" "the source answers for it, nobody else"
	finding ok cpu "has all that the source's has"
	judged_here
	all_ok
	finding ok service "1 address, 10 connections"
	judge beta --json >"$shared/said"
	[ "$(field "$shared/said" ok)" = true ]
	[ "$(picture alpha; picture beta)" = "$before" ]
	stayed
}

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

@test "a file that is missing, another build, longer, no file" {
	local lib
	begin
	lib=$(jq -r '.files | keys[] | select(test("liblzf"))' "$shared/facts.json")
	on beta mv "$lib" /root/lib
	refused files "$lib is missing" "--sync"
	on beta cp /usr/bin/true "$lib"
	refused files "$lib has [0-9]* bytes, on the source" "--sync"
	on beta sh -c "rm $lib && mkdir $lib"
	refused files "$lib is of type directory, on the source file" "--sync"
	on beta sh -c "rmdir $lib && mv /root/lib $lib"
	goes
	# The same library of another build.
	on beta sh -c "cp $lib /root/other && printf x | dd of=/root/other bs=1 conv=notrunc seek=\$(
		grep -abo GNU /root/other | head -n 1 | cut -d: -f1 | awk '{ print \$1 + 4 }') && mount --bind /root/other $lib"
	refused files "$lib is another build" "--sync"
	on beta umount "$lib"
	goes
	edit '.files += ([range(50) | {"/nowhere/\(.)": {"type": "file", "size": 1}}] | add)'
	refused files "30 more are missing or differ" "--sync"
	[ "$(grep -c 'is missing' "$shared/said")" = 20 ]
	edit '.files += {"/a\u001b[31m": {"type": "fifo"}}'
	refused files '/a\?\[31m is missing' "--sync"
	end_load
}

@test "a PID, a thread, a process group that is taken" {
	local thread
	begin
	with_pid beta "$pid" sleep 300
	refused PIDs "$pid is sleep here" "end it"
	on beta kill "$spawned"
	until_true 5 "it ends" goes
	thread=$(jq '.tasks[0].threads[1]' "$shared/facts.json")
	with_pid beta "$thread" sleep 300
	refused PIDs "$thread is sleep here" "end it"
	on beta kill "$spawned"
	until_true 5 "it ends" goes
	# Its leader has ended.
	spawn beta sh -c 'sleep 300 &'
	until_true 5 "the leader ends" not on beta test -e "/proc/$spawned"
	spawned=$(on beta pgrep -xf 'sleep 300')
	edit ".tasks[0].group = $(on beta ps -o pgid= -p "$spawned")"
	refused PIDs "is the process group of sleep \(pid $spawned\) here" "end it"
	on beta kill "$spawned"
	edit '.tasks[0].pid = 4194304 | .tasks[0].root = 4194304 | .roots = [4194304]'
	refused PIDs "4194304 is above this host's kernel.pid_max" "sysctl"
	on beta sh -c 'for i in $(seq 30); do sleep 300 </dev/null >/dev/null 2>&1 & echo $!; done' >"$shared/sleeps"
	edit --argjson taken "$(jq -sc . "$shared/sleeps")" '.tasks[0].threads = $taken'
	refused PIDs "10 more" "end it"
	[ "$(grep -c '^no .*PIDs .* is sleep here' "$shared/said")" = 20 ]
	on beta pkill -xf 'sleep 300'
	end_load
}

@test "a port that is taken, on the address, on all, by a datagram socket; one that cannot be bound" {
	begin
	for where in 0.0.0.0 ::; do
		spawn beta python3 -c "if True:
			import signal, socket
			all = dict(family=socket.AF_INET6, dualstack_ipv6=True) if '$where' == '::' else {}
			listener = socket.create_server(('$where', 6379), **all)
			signal.pause()"
		until_true 5 "it listens" listens beta ":6379"
		refused ports "TCP port 6379 is taken by python3 \(pid $spawned\)" "end it"
		on beta kill "$spawned"
		until_true 5 "it ends" goes
	done
	spawn beta python3 /src/tests/services/listen.py 192.0.2.2 6379
	until_true 5 "it listens" listens beta 192.0.2.2:6379
	edit .
	goes
	edit '.ports[0].address = "*"'
	refused ports "TCP port 6379 is taken" "end it"
	edit '.ports[0].protocol = "udp" | .ports[0].address = "0.0.0.0"'
	goes
	edit '.ports[0].address = "192.0.2.1"'
	refused ports "6379 is bound to 192.0.2.1, which does not move and is not here" "service address"
	edit '.ports[0].port = 22 | .ports += [range(1; 40) as $i | {protocol: "tcp", port: 22, address: "192.0.2.\($i)"}]'
	not judged
	finding no ports "[0-9]+ more"
	[ "$(grep -c '^no .*ports' "$shared/said")" = 21 ]
	on beta kill "$spawned"
	end_load
}

@test "an address that is not configured, here already, on no device, on a device that is down" {
	begin
	configured beta "s|$address/24|192.0.2.101/24|"
	refused "address $address/24" "is not in this host's configuration" "add it to .*on this host"
	configured beta "s|192.0.2.101/24|$address/24|"
	on beta ip link add other type veth peer name others
	configured beta "/$address/s|eth0|other|"
	not judged
	finding no "device other" "is down"
	remedy "device other" "ip link set other up"
	configured beta "/$address/s|other|eth9|"
	not judged
	finding no "device eth9" "there is no such device"
	configured beta "/$address/s|eth9|eth0|"
	goes
	on beta ip address add $address/32 dev lo
	not judged
	finding no "owner $address" "this host has it already"
	remedy "owner $address" "ip-takeover withdraw"
	on beta ip address delete $address/32 dev lo
	goes
	end_load
}

@test "an address of another subnet than the device's, a source on another segment" {
	begin
	on beta ip address delete 192.0.2.2/24 dev eth0
	on beta ip address add 198.51.100.2/24 dev eth0
	judged
	finding warning "address $address/24" "eth0 has no address in its subnet"
	on beta ip address add 192.0.2.2/24 dev eth0
	goes
	on beta sh -c 'ip link add other type veth peer name others && ip link set other up && ip link set others up &&
		ip address add 192.0.2.22/24 dev other'
	configured beta "/$address/s|eth0|other|"
	judged
	finding warning "owner $address" "nobody answers for it, not even the source"
	remedy "owner $address" "one segment"
	end_load
}

@test "an address that a third host answers for, and one with an IPv6 address" {
	local third=02:00:00:00:00:64
	begin
	on client python3 /src/tests/services/answer_arp.py $address $third >"$shared/third.log" 2>&1 3>&- &
	until_true 5 "the third host listens" grep -q listens "$shared/third.log"
	refused "owner $address" "is in use by $third, which is not the source" "withdraw it there first"
	on client pkill -f answer_arp.py
	until_true 5 "it ends" goes
	edit '.macs = ["02:00:00:00:00:65"]'
	refused "owner $address" "is in use by $(mac_of alpha), which is not the source" "withdraw it there first"
	edit '.addresses = [{address: "2001:db8::100/64", present: true}] | .ports = []'
	goes
	finding ok "owner 2001:db8::100" "the source answers for it"
	on client ip address add 2001:db8::100/64 dev eth0 nodad
	refused "owner 2001:db8::100" "is in use by $(mac_of client)" "withdraw it there first"
	on client ip address delete 2001:db8::100/64 dev eth0
	end_load
}

@test "versions, architecture, kernel, processor" {
	begin
	edit '.version = "9.0"'
	refused ip-takeover "is older than the source's 9.0" "install the source's version"
	edit '.version = "0.0.9"'
	judged
	finding warning ip-takeover "is newer than the source's 0.0.9"
	edit '.criu = 99900'
	refused "criu version" "is older than the source's 999.0" "install the source's version"
	edit '.criu = 317'
	goes
	edit '.machine = "pdp11"'
	refused architecture "the source is pdp11" "same architecture"
	edit '.kernel = "99.1.0-next"'
	judged
	finding warning kernel "is older than the source's 99.1.0-next"
	edit '.kernel = "5.10.0"'
	goes
	edit '.cpu = null'
	judged
	finding warning cpu "not compared"
	edit '.cpu = "AAAA"'
	refused cpu "criu cpuinfo check: Error .*trimmed" "same processor"
	# All that a processor could have, in criu's image of it (criu/images/cpuinfo.proto).
	edit --arg cpu "$(jq -r .cpu "$shared/facts.json" | on alpha python3 -c "if True:
		import base64, re
		image = bytearray(base64.b64decode(input()))
		for field in re.finditer(rb'\x30[\x80-\xff]*[\x00-\x7f]', image):
			image[field.start() + 1] |= 0x7f
		print(base64.b64encode(image).decode())")" '.cpu = $cpu'
	refused cpu "CPU instruction capabilities do not match" "same processor"
	edit .
	not on beta env PATH=/nowhere /src/build/ip-takeover judge <"$shared/edited.json" >"$shared/said"
	finding no criu "criu: No such file"
	finding warning cpu "not tried without criu"
	end_load
}

@test "too much memory for the destination" {
	local available
	begin
	available=$(on beta awk '/^MemAvailable/ { print $2 * 1024 }' /proc/meminfo)
	edit ".memory = $available * 2"
	refused room "only [0-9]+ MiB of memory available" "larger host"
	edit ".memory = ($available * 0.7 | floor)"
	if judged; then
		finding warning room "images go to /var/tmp"
	else
		finding no room "MiB in /var/tmp"
	fi
	end_load
}

@test "a takeover of the address under way on the destination" {
	begin
	on beta mkdir -m 700 /run/ip-takeover
	on beta tee /run/ip-takeover/01234567-89ab-cdef-0123-456789abcdef-source.json >/dev/null <<-END
	{ "id": "01234567-89ab-cdef-0123-456789abcdef", "role": "source", "state": "committed", "message": "",
	  "criu_pid": 999998, "root_pid": 0, "keeper_pid": 999999, "socket": "/run/ip-takeover/criu-999998-1.sock",
	  "guard": "01234567-source", "addresses": [ { "address": "$address/24", "device": "eth0" } ] }
	END
	refused takeovers "the keeper of takeover 01234567.* was killed; ip-takeover rollback" "ip-takeover status"
	edit '.addresses = [{address: "2001:db8::100/64", present: true}] | .ports = []'
	goes
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

@test "another process on the address, unless the configuration ignores it" {
	begin
	spawn alpha python3 /src/tests/services/listen.py $address 7000
	until_true 5 "it listens" listens alpha $address:7000
	facts
	edit .
	not judged_here
	finding no others "$address is in use by python3 \(pid $spawned\), too, TCP port 7000"
	remedy others "other_processes"
	goes
	on alpha sh -c 'echo "other_processes = \"ignore\";" >>/etc/criu/ip-takeover.conf'
	judged_here
	finding warning others "is in use by python3"
	pids=("$pid" "$spawned")
	facts
	edit .
	judged_here
	all_ok
	finding ok service "1 address, 10 connections"
	on alpha kill "$spawned"
	end_load
}

@test "a freeze that is too long, for the limit, for the peers, for the sockets' own timeout" {
	begin
	edit '.memory = 100 * 1073741824'
	not judged_here
	finding no freeze "about 150.* s for 102400 MiB and 10 connections, longer than 60 s"
	remedy freeze "--max-freeze"
	judged_here --max-freeze 300
	all_ok
	not judged_here --max-freeze 150
	edit '.memory = 10 * 1073741824 | .retries2 = 5'
	not judged_here
	finding no freeze "more than half of the peers' patience of 12.6 s \(net.ipv4.tcp_retries2\)"
	edit '.memory = 1073741824 | .connections = 15000'
	judged_here
	finding ok freeze "about 5.* s, the peers' patience is 924.6 s"
	end_load
}

@test "sockets with a timeout of their own, connections that cannot move, no session, no address" {
	begin
	on client python3 /src/tests/services/listen.py 192.0.2.3 7001 3>&- &
	until_true 5 "the client listens" listens client 192.0.2.3:7001
	spawn alpha python3 -c "if True:
		import signal, socket
		s = socket.create_server(('$address', 7000))
		s.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 40)
		c = socket.create_connection(('192.0.2.3', 7001))
		print('connected', flush=True)
		signal.pause()"
	until_true 5 "it is connected" on alpha grep -q connected /tmp/spawned.log
	pids=("$spawned")
	facts
	[ "$(field "$shared/facts.json" user_timeout_ms)" = 40 ]
	edit .
	not judged_here
	finding no connections "1 go through other addresses of this host, one through 192.0.2.1"
	finding no freeze "half of the peers' patience of 0.0 s \(TCP_USER_TIMEOUT of its sockets\)"
	finding no others "is in use by redis-server"
	finding ok session "1 processes"
	on alpha kill "$spawned"
	on alpha sh -c 'sleep 300 </dev/null >/dev/null 2>&1 & echo $! >/run/spawned.pid'
	spawned=$(on alpha cat /run/spawned.pid)
	pids=("$spawned")
	facts
	edit .
	not judged_here
	finding no service "has no socket on any configured address"
	finding no session "PID $spawned belongs to session [0-9]+: criu does not dump it"
	remedy session setsid
	on client pkill -f listen.py
	on alpha kill "$spawned"
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
