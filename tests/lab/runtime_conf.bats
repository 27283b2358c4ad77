#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# make install RUNTIMES=...: our lines in what runc and crun have criu read.

load helper

# shellcheck disable=SC2154 # of helper
at=$shared/installed
runc=$at/etc/criu/runc.conf
crun=$at/etc/criu/crun.conf
lib=/usr/local/lib/criu-ip-takeover

to_install() { make -s -C "$top" "$@" DESTDIR="$at" PREFIX=/usr/local; }

conf() { DESTDIR="$at" LIBDIR=$lib "$top/scripts/runtime-conf" "$@"; }

# before TEXT: what a person has in runc.conf, byte by byte.
before() {
	mkdir -p "${runc%/*}"
	printf "$1" >"$runc"
	cp "$runc" "$shared/before"
}

unchanged() { cmp "$shared/before" "$runc"; }

# nothing_else: no file that a failure has left beside it.
nothing_else() { [ "$(ls -A "${runc%/*}")" = "$*" ]; }

@test "installed only when asked for, shown, and uninstalled" {
	to_install install
	not test -e "$at/etc"
	to_install install RUNTIMES="runc crun" >"$shared/said"
	for file in "$runc" "$crun"; do
		grep "$file: added" "$shared/said"
		[ "$(stat -c %a "$file")" = 644 ]
		diff - <(grep -v '^#' "$file") <<-END
		tcp-established
		libdir $lib
		network-lock nftables
		END
	done
	grep "  libdir $lib" "$shared/said"
	conf show | grep "$crun: has of ours"
	cp "$runc" "$shared/before"
	to_install install RUNTIMES="runc crun" | grep "$runc: has our lines already, unchanged"
	unchanged
	to_install uninstall | grep "$runc: removed, it was ours"
	nothing_else
	conf show | grep "$runc: none of our lines"
}

@test "a person's lines, mode and owner stay, byte by byte" {
	before '# mine\n\nlog-file /var/log/x.log\n\tghost-limit=2M # \377\000\nmanage-cgroups "soft"'
	chmod 640 "$runc"
	chown 7:8 "$runc"
	conf add runc
	tail -c "$(stat -c %s "$shared/before")" "$runc" | cmp - "$shared/before"
	[ "$(head -n 1 "$runc")" = "# begin criu-ip-takeover" ]
	[ "$(stat -c %a:%u:%g "$runc")" = 640:7:8 ]
	conf add runc | grep unchanged
	conf remove runc
	unchanged
	[ "$(stat -c %a:%u:%g "$runc")" = 640:7:8 ]
	nothing_else runc.conf
	conf remove runc
	unchanged
}

@test "a file that was there empty stays; one of ours that somebody has added to does, too" {
	before ''
	conf add runc
	conf remove
	unchanged
	rm "$runc"
	conf add runc
	printf 'ghost-limit 2M\n' >>"$runc"
	sed -i 's/^network-lock nftables/&\nlog-file mine/' "$runc"
	conf remove
	diff "$runc" - <<-END
	log-file mine
	ghost-limit 2M
	END
}

@test "another prefix replaces the line, and a torn block is a person's" {
	before 'ghost-limit 2M\n'
	conf add runc
	LIBDIR=/opt/lib/criu-ip-takeover DESTDIR=$at "$top/scripts/runtime-conf" add runc
	[ "$(grep -c ^libdir "$runc")" = 1 ]
	grep -x "libdir /opt/lib/criu-ip-takeover" "$runc"
	conf remove
	unchanged
	before '# begin criu-ip-takeover\ntcp-established\n'
	exits 1 "do not belong together" conf add runc
	exits 1 "do not belong together" conf remove
	exits 2 "Error" to_install uninstall
	unchanged
}

# refused TEXT LINE
refused() {
	before "ghost-limit 2M\n$2\n"
	exits 1 "$1" conf add runc
	unchanged
	exits 1 "$1" conf add crun runc
	nothing_else runc.conf
}

@test "what contradicts ours is refused, for all files or none" {
	refused "libdir /usr/lib/criu.* there, and criu has but one" 'libdir /usr/lib/criu'
	refused "libdir /usr/lib/criu.* there" ' \tlibdir="/usr/lib/criu" # x'
	refused "libdir /usr/lib/criu.* there" 'libd  "/usr/lib/criu"'
	refused "no-tcp-established.* there would cut" no-tcp-established
	refused "tcp-close.* there would cut" tcp-close
	exits 2 "expected runc or crun, which docker and podman run" to_install install RUNTIMES=docker
	rm "$runc"
	ln -s elsewhere "$runc"
	exits 1 "a symbolic link" conf add runc
	rm "$runc"
	mkdir "$runc"
	exits 1 "not a regular file" conf add runc
}

@test "what is set already is left, and stays" {
	before "tcp-established\n#libdir /nowhere\nnetwork-lock skip\n"
	conf add runc
	diff - <(head -n 3 "$runc") <<-END
	# begin criu-ip-takeover
	libdir $lib
	# end criu-ip-takeover
	END
	conf remove
	unchanged
	before "network-lock iptables\n"
	conf add runc | grep 'network-lock iptables" there, left; nftables is faster'
	not grep nftables "$runc"
	conf remove
	unchanged
	before "tcp-established\nlibdir $lib\nnetwork-lock nftables\n"
	conf add runc | grep "has our lines already, unchanged"
	unchanged
	conf remove | grep "libdir $lib\" there is not ours, left; criu fails"
	unchanged
}

@test "crun reads a file of its own, or runc's" {
	before 'ghost-limit 2M\n'
	conf add crun | grep "new, so that crun reads $runc no more"
	unchanged
}

@test "on a full disk all is as it was" {
	before 'ghost-limit 2M\n'
	on alpha sh -c "mkdir -p /etc/criu && mount -t tmpfs -o size=16k none /etc/criu"
	on alpha cp /shared/before /etc/criu/runc.conf
	on alpha sh -c 'cat /dev/zero >/etc/criu/fill 2>/dev/null || :'
	exits 1 "No space left" on alpha env LIBDIR=$lib /src/scripts/runtime-conf add runc
	on alpha cmp /shared/before /etc/criu/runc.conf
	[ "$(on alpha ls -A /etc/criu | tr '\n' ' ')" = "fill runc.conf " ]
}

# criu takes these words, and they are enough: what runc has it do.
@test "a service moves by what is installed, and check says so" {
	to_install install RUNTIMES=runc
	for host in alpha beta; do
		on "$host" cp -r /shared/installed/usr/local/. /usr/local/
		on "$host" cp /shared/installed/etc/criu/runc.conf /etc/criu/
	done
	on alpha ip-takeover check | grep '^ok *runc *its criu loads the plugin, by /etc/criu/runc.conf'
	on alpha criu --config /etc/criu/runc.conf check
	start_redis
	start_load 50 --interval-ms 10-30
	on alpha criu dump --config /etc/criu/runc.conf --images-dir /shared/images -v4 -t "$pid" -o dump.log
	on beta criu restore --config /etc/criu/runc.conf --images-dir /shared/images -v4 -d -o restore.log
	grep -q "tables" "$shared/images/dump.log"
	moved
}

# ip-takeover check of alpha, of what is said of runc and crun.
check_says() {
	on alpha /src/build/ip-takeover check >"$shared/said"
	grep -A 1 -E "^$1( |\$)" "$shared/said"
}

@test "check: neither, missing, half, and a plugin that is gone" {
	on alpha /src/build/ip-takeover check >"$shared/said"
	not grep -E 'runc|crun' "$shared/said"
	on alpha install -m 755 /bin/true /usr/local/bin/crun
	check_says 'warning *crun *its criu does not load the plugin: /etc/criu/crun.conf: No such file' |
		grep -- '-> make install RUNTIMES=crun'
	not grep runc.conf "$shared/said"
	on alpha sh -c 'echo "libdir /src/build/plugin" >/etc/criu/runc.conf'
	check_says 'warning *runc *its criu refuses connections: no tcp-established in /etc/criu/runc.conf'
	on alpha sh -c 'echo tcp-established >>/etc/criu/runc.conf'
	check_says 'ok *crun *its criu loads the plugin, by /etc/criu/runc.conf'
	check_says 'ok *runc'
	on alpha sh -c 'printf "tcp-established\nlibdir \"/nowhere\"\n" >/etc/criu/crun.conf'
	check_says 'warning *crun *its criu will fail: /etc/criu/crun.conf: libdir /nowhere: No such file'
	not on alpha criu --config /etc/criu/crun.conf dump -t 1 --images-dir /tmp -o dump.log
	on alpha grep /nowhere /tmp/dump.log
	on alpha sh -c 'printf "libdir /usr/lib\n" >/etc/criu/crun.conf'
	check_says 'warning *crun *its criu does not load the plugin: /etc/criu/crun.conf names no libdir that has it'
}
