#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A long answer is under way when its server moves: nginx with full send queues.

load helper

mebibytes=64
service=nginx

answers_go_on() { until_true 10 "nginx answers" on client bash -c "exec 7<>/dev/tcp/$address/8080"; }

start_nginx() {
	dd if=/dev/urandom of="$shared/file" bs=1M count=$mebibytes status=none
	cat >"$shared/nginx.conf" <<-END
	user root;
	worker_processes 1;
	error_log /dev/null;
	pid /run/nginx.pid;
	events { }
	http {
	    access_log off;
	    server { listen $address:8080; root /shared; }
	}
	END
	on alpha nginx -c /shared/nginx.conf >/dev/null 2>&1
	until_true 10 "nginx writes its pidfile" on alpha test -s /run/nginx.pid
	pid=$(on alpha cat /run/nginx.pid)
}

# start_download [OPTION...]
start_download() {
	on client /src/build/takeover-load download $address 8080 /file --size $((mebibytes << 20)) \
		--sha256 "$(sha256sum "$shared/file" | cut -d' ' -f1)" "$@" \
		--ready /shared/downloading --json /shared/download.json >/dev/null 2>"$shared/load.err" 3>&- &
	load=$!
	until_true 10 "the download runs" test -e "$shared/downloading"
}

# download WAY [OPTION...]
download() {
	local way=$1
	shift
	start_nginx
	start_download "$@"
	dump "$way"
	restore beta "$way"
	wait "$load"
	[ "$(field "$shared/download.json" bytes)" = $((mebibytes << 20)) ]
	[ "$(field "$shared/download.json" sha256_equal)" = true ]
	# A restored connection's own retransmission timer runs three seconds.
	echo "longest gap $(field "$shared/download.json" longest_gap_s) s"
	[ "$(field "$shared/download.json" longest_gap_s | cut -d. -f1)" -lt 3 ]
	load=
	moved
	silent_before_claim
}

@test "a download at 40 MiB/s, plugin" { download plugin --rate $((40 << 20)); }
@test "a download at 40 MiB/s, scripts" { download scripts --rate $((40 << 20)); }
@test "a reader so slow that the window is shut" { download plugin --rate $((24 << 20)) --receive-buffer 16384; }
