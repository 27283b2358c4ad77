#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What migrate is told, by a person and by another host, can be wrong: it says so within seconds,
# and the service goes on.

load helper

here() { on alpha /src/build/ip-takeover migrate "$@" 3>&-; }
migrate() { here --pid "$pid" --to beta --remote-program /src/build/ip-takeover "$@"; }

# within SECONDS STATUS TEXT CMD...
within() {
	local begin=$SECONDS
	exits "${@:2}"
	((SECONDS - begin <= $1))
}

# refused STATUS TEXT CMD...: and in one line.
refused() {
	exits "$@"
	[ "$(wc -l <"$shared/said")" = 1 ]
}

# remote TEXT: what is started on beta instead of ip-takeover receive.
remote() {
	printf '#!/bin/sh\n%s\n' "$1" >"$shared/remote"
	chmod 755 "$shared/remote"
}
fake() { here --pid "$pid" --to beta --remote-program /shared/remote "$@"; }

no_images() { on "$1" sh -c '! ls /dev/shm /tmp /var/tmp | grep ip-takeover'; }

# No criu has run, or has left something.
untouched() {
	no_images alpha
	no_images beta
	not on alpha pgrep -x criu
	not on alpha pgrep -x ssh
	stayed
}

@test "wrong usage is said in one line" {
	pid=7
	refused 2 "pid PID is missing" here --to beta
	refused 2 "to HOST is missing" here --pid 7
	for bad in 0 1 -5 x 12x '' 99999999999 ' 7'; do
		refused 2 'expected a PID' here --pid "$bad" --to beta
	done
	refused 2 "at most 16 of them" here $(printf -- "--pid %s " $(seq 2 18)) --to beta
	refused 2 'expected a host, not "-oProxyCommand=reboot"' here --pid 7 --to -oProxyCommand=reboot
	refused 2 "expected a host" here --pid 7 --to ''
	refused 2 "max-freeze: expected 1 to 86400 seconds" migrate --max-freeze 0
	refused 2 "timeout: expected 1 to 86400 seconds" migrate --timeout 1h
	refused 2 "rsh: expected a command" migrate --rsh ' '
	refused 2 "no such option" migrate --frobnicate
	refused 2 "no such option" migrate --check=yes
	refused 2 "to: expected a value" here --pid 7 --to
	refused 2 '"gamma" is no option; options for criu come after --' migrate gamma
	refused 2 "quiet contradicts --verbose" migrate --quiet --verbose
	refused 2 "check or --dry-run, not both" migrate --check --dry-run
	refused 2 "leave-stopped: a move that fails is undone" migrate --leave-stopped
	refused 2 "leave-running: the service would run on both hosts" migrate --leave-running
	exits 0 "usage: ip-takeover migrate" here --help
}

@test "options for criu that are not for others to give" {
	local option
	pid=7
	for option in -t5 --tree=5 -D/tmp --images-dir --action-script=/bin/true -jR -ls --leave-r --leave-stopped \
		--page-server --network-lock=iptables --tcp-close -L/tmp --libdir --config=/x -- -o/x --restore-d; do
		refused 2 "$option cannot be given to criu: " migrate -- "$option"
	done
	refused 2 "leave-running cannot be given to criu: the service would run on both hosts" \
		migrate -- --leave-running
	refused 2 "at most 64 options for criu" migrate -- $(yes -- -j | head -n 65)
}

@test "those for criu are given to both" {
	start_redis
	start_load 10 --interval-ms 10-30
	migrate --keep-images /tmp/kept -- --file-locks -j --ghost-limit 2M
	on alpha grep -q 'moved\|Dumping finished' /tmp/kept/dump.log
	moved
}

@test "a PID that is nobody's, a thread, one that ends in between" {
	local thread
	start_redis
	start_load 10 --interval-ms 10-30
	within 3 1 "there is no process with PID 4000000" here --pid 4000000 --to beta
	thread=$(on alpha ls "/proc/$pid/task" | tail -n 1)
	within 3 1 "$thread is a thread of PID $pid (redis-server); name that" here --pid "$thread" --to beta
	on alpha sh -c 'setsid setpriv --reuid nobody sleep 300 </dev/null >/dev/null 2>&1 & echo $! >/run/spawned.pid'
	within 5 1 "has no socket on any configured address" here --pid "$(on alpha cat /run/spawned.pid)" --to beta \
		--remote-program /src/build/ip-takeover
	# It ends while the other host is asked.
	on alpha sh -c 'setsid python3 /src/tests/services/listen.py 192.0.2.100 7000 </dev/null >/dev/null 2>&1 & echo $! >/run/spawned.pid'
	until_true 5 "it listens" on alpha sh -c 'ss -Hltn "src 192.0.2.100:7000" | grep -q .'
	on alpha sh -c 'echo "other_processes = \"ignore\";" >>/etc/criu/ip-takeover.conf'
	remote "ssh -n alpha kill $(on alpha cat /run/spawned.pid); exec /src/build/ip-takeover receive"
	within 5 1 "python3 ([0-9]*) has ended: " here --pid "$(on alpha cat /run/spawned.pid)" --to beta \
		--remote-program /shared/remote
	untouched
}

@test "a host that does not answer, a name that is none, no remote shell" {
	start_redis
	start_load 10 --interval-ms 10-30
	within 10 1 "was not moved, and runs here: ssh: connect to host 192.0.2.77" \
		here --pid "$pid" --to 192.0.2.77 --rsh "ssh -o ConnectTimeout=2"
	within 10 1 "Could not resolve hostname" here --pid "$pid" --to nowhere.example
	within 5 1 "nossh: No such file" migrate --rsh nossh
	within 5 1 "Connection refused" migrate --rsh "ssh -p 1"
	printf '#!/bin/sh\nexec sleep 60\n' >"$shared/silent"
	chmod 755 "$shared/silent"
	within 20 1 "the other host does not answer" migrate --rsh /shared/silent
	within 6 1 "not ready to freeze it within 2 s (--timeout)" migrate --timeout 2 --rsh /shared/silent
	untouched
}

@test "a host without ip-takeover, an older one, one whose login talks" {
	start_redis
	start_load 10 --interval-ms 10-30
	within 5 1 "/nonexistent" here --pid "$pid" --to beta --remote-program /nonexistent
	remote 'printf "ip-takeover: no verb \"receive\"\nusage: ip-takeover VERB\nexit status: 2 wrong usage\n" >&2; exit 2'
	within 5 1 "no verb \"receive\"" fake
	remote "python3 -c 'if True:
		import struct, sys, time
		text = b\"{\\\"say\\\": \\\"hello\\\", \\\"version\\\": \\\"0.0.1\\\", \\\"protocol\\\": 0}\"
		sys.stdout.buffer.write(struct.pack(\">II\", 1, len(text)) + text)
		sys.stdout.flush()
		time.sleep(60)'"
	within 5 1 "0.0.1 there speaks protocol 0 of migrate, this one 1; install the same version" fake
	remote 'echo "Welcome to beta."; exec /src/build/ip-takeover receive'
	within 5 1 "expected ip-takeover's greeting, not: Welcome to beta." fake
	untouched
}

@test "a hostile host: garbage, endless data, nothing" {
	start_redis
	start_load 10 --interval-ms 10-30
	remote 'exec cat /dev/urandom'
	within 5 1 "was not moved, and runs here" fake
	remote 'exec cat /dev/zero'
	within 5 1 "expected ip-takeover's greeting" fake
	remote 'exec yes >&2'
	within 20 1 "the other host does not answer" fake
	remote 'printf "\0\0\0\1\0\20\0\0"; exec yes'
	within 5 1 "was not moved, and runs here" fake
	remote 'exec sleep 60'
	within 20 1 "the other host does not answer" fake
	untouched
}

# say MESSAGE... after the greeting and wrong times, each a JSON object.
says_then() {
	cat >"$shared/remote.py" <<-'END'
	import json, struct, sys, time
	def say(text):
	    sys.stdout.buffer.write(struct.pack(">II", 1, len(text)) + text.encode())
	    sys.stdout.flush()
	say(json.dumps({"say": "hello", "version": "0.1", "protocol": 1, "host": "b\u001b[31m"}))
	for text in ['{"say": "clock", "received_ns": 1, "sent_ns": 0}'] * 5 + sys.argv[1:]:
	    say(text)
	while sys.stdin.buffer.read(65536):
	    pass
	END
	remote "exec python3 /shared/remote.py$(printf " '%s'" "$@")"
}

@test "a hostile host: findings that are none, paths that it was not told" {
	start_redis
	start_load 10 --interval-ms 10-30
	for bad in '{"say": "findings"}' '{"say": "findings", "ok": true, "checks": []}' \
		'{"say": "findings", "ok": false, "checks": [{"name": "a", "state": "ok", "what": "", "remedy": ""}]}' \
		'{"say": "findings", "ok": true, "checks": [{"name": "a", "state": "fine", "what": "", "remedy": ""}]}' \
		'{"say": "findings", "ok": true, "checks": [{"name": "a\u001b[2J", "state": "ok", "what": "", "remedy": ""}]}' \
		'{"say": "findings", "ok": true, "checks": [7]}'; do
		says_then "$bad"
		within 5 1 "findings *its answer makes no sense" fake
	done
	says_then '{"say": "commit"}'
	within 5 1 "said something that makes no sense now" fake
	says_then '{"say": "failed", "why": "no\u001b[2J\nroom"}'
	within 5 1 "runs here: no?\[2J?room" fake
	says_then '{"say": "findings", "ok": false, "differ": ["/etc/shadow", 7, "/etc"], "checks": [{"name": "files", "state": "no", "what": "x", "remedy": ""}]}'
	within 5 1 "preflight found" fake --sync
	not grep -q copying "$shared/said"
	# All is well, then it does not get ready.
	says_then '{"say": "findings", "ok": true, "checks": [{"name": "a", "state": "ok", "what": "", "remedy": ""}]}' \
		'{"say": "waiting"}'
	within 18 1 "was not moved, and runs here: not done within 2 s (--max-freeze)" fake --max-freeze 2
	on alpha sh -c '! ls /dev/shm | grep ip-takeover'
	stayed journal alpha
}

@test "--keep-images where nothing can be kept" {
	start_redis
	start_load 10 --interval-ms 10-30
	on alpha mkdir /tmp/full
	on alpha touch /tmp/full/file
	exits 1 "keep-images /tmp/full: Directory not empty" migrate --keep-images /tmp/full
	exits 1 "keep-images /tmp/full/file: Not a directory" migrate --keep-images /tmp/full/file
	exits 1 "keep-images /no/where: No such file" migrate --keep-images /no/where
	untouched
}
