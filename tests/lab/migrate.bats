#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A service moves by one command, over a real ssh.

load helper
load migrate
load nginx
load services

retransmitted() { on client nstat -asz TcpRetransSegs | awk '/TcpRetransSegs/ { print int($2) }'; }

connects() { on client python3 -c "import socket; socket.create_connection(('$address', $1), 5)"; }

@test "redis with 100 writing clients goes and comes back, ten times; none has to send again" {
	local before turns=() i
	service=redis-server
	start_redis
	start_load 100 --interval-ms 10-30
	answers_go_on() { until_true 10 "redis answers" on client redis-cli -h $address -t 2 ping; }
	for i in 1 2 3 4 5; do
		before=$(retransmitted)
		migrate alpha beta
		turns+=($(($(retransmitted) - before)))
		before=$(retransmitted)
		migrate beta alpha
		turns+=($(($(retransmitted) - before)))
	done
	echo "retransmissions: ${turns[*]}"
	[ "$(printf '%s\n' "${turns[@]}" | sort -n | sed -n 6p)" = 0 ]
	ends_at alpha via alpha beta alpha beta alpha beta alpha beta alpha beta alpha
	no_images
}

@test "nginx with a running download" {
	service=nginx
	answers_go_on() { connects 8080; }
	start_nginx
	start_download --rate $((40 << 20))
	migrate alpha beta
	end_download
	moved
	no_images
}

@test "an asyncio server with 20 clients over TLS" {
	on alpha openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-subj /CN=service -addext subjectAltName=DNS:service \
		-keyout /shared/key.pem -out /shared/certificate.pem 2>/dev/null
	start alpha service tls.py serve $address 7000 /shared/certificate.pem /shared/key.pem
	until_true 10 "it listens" listens alpha 7000
	on client python3 /src/tests/services/tls.py ask $address 7000 20 /shared/certificate.pem /shared/tls.json \
		2>"$shared/tls.err" 3>&- &
	local peer=$!
	answers_go_on() { connects 7000; }
	until_true 10 "all are connected" in_state alpha established 20 "sport = 7000"
	migrate alpha beta
	until_true 10 "lines arrive on beta" streams beta 20
	: >"$shared/stop"
	wait $peer
	cat "$shared/tls.json"
	jq -e '.wrong == 0 and .failed == 0 and .lines > 100' "$shared/tls.json"
	moved
	no_images
}

@test "a process that only holds connections to others" {
	start client server stream.py listen /shared/service.jsonl 192.0.2.3,7000
	until_true 10 "the server listens" listens client 7000
	start alpha service stream.py connect /shared/peers.jsonl --bind $address --count 20 192.0.2.3,7000
	stream_on alpha 20
	migrate alpha beta
	stream_on beta 20
	end_peers 20
	until_true 10 "the process ends" no_process beta
	answers_go_on() { on client ping -c 1 -W 2 $address; }
	moved
	no_images
}
