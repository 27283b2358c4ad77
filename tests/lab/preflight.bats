#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Whether a service can move to beta, by its facts on alpha: each thing that is in its way there.

load helper
load preflight

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
	  "guard": "01234567-source", "addresses": [ { "address": "$address/24", "device": "eth0", "was_here": false } ] }
	END
	refused takeovers "the keeper of takeover 01234567.* was killed; ip-takeover rollback" "ip-takeover status"
	edit '.addresses = [{address: "2001:db8::100/64", present: true}] | .ports = []'
	goes
	end_load
}
