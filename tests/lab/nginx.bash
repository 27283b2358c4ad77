# SPDX-License-Identifier: GPL-2.0-only
# An nginx in the middle of a long answer, instead of the busy redis of helper.bash.
# shellcheck disable=SC2154,SC2034 # variables of, and for, helper.bash

mebibytes=64
service=nginx

answers_go_on() { until_true 10 "nginx answers" on client bash -c "exec 7<>/dev/tcp/$address/8080"; }

# start_nginx [COMMAND...]: by this command, if any; sets $pid.
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
	on alpha "$@" nginx -c /shared/nginx.conf >/dev/null 2>&1
	until_true 10 "nginx writes its pidfile" on alpha test -s /run/nginx.pid
	pid=$(on alpha cat /run/nginx.pid)
}

# start_download [OPTION...]: sets $load.
start_download() {
	on client /src/build/takeover-load download "$address" 8080 /file --size $((mebibytes << 20)) \
		--sha256 "$(sha256sum "$shared/file" | head -c 64)" "$@" \
		--ready /shared/downloading --json /shared/download.json >/dev/null 2>"$shared/load.err" 3>&- &
	load=$!
	until_true 10 "the download runs" test -e "$shared/downloading"
}

# end_download: it is complete and right.
end_download() {
	wait "$load"
	[ "$(field "$shared/download.json" bytes)" = $((mebibytes << 20)) ]
	[ "$(field "$shared/download.json" sha256_equal)" = true ]
	[ "$(field "$shared/download.json" reset)" = 0 ]
	load=
}
