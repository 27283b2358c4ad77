#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The programs that come with us: a route that BIRD announces, or FRR; a floating address behind
# an HTTP API. The routers and curl come from Debian, by `lab install`. Of `make faults`.

load helper
load migrate
load exec

# there_and_back PROGRAM
there_and_back() {
	configure "$1"
	claimed alpha
	until_true 20 "the route has come" neighbour_is alpha
	exits 0 "ok  *program $address  *$1 says within .* that this host has the address" \
		on alpha /src/build/ip-takeover check
	exits 0 "that this host does not have the address" on beta /src/build/ip-takeover check
	start_redis
	start_load 100 --interval-ms 10-30
	migrate alpha beta
	until_true 20 "the route has come" neighbour_is beta
	owner_is beta
	migrate beta alpha
	until_true 20 "the route has come" neighbour_is alpha
	ends_at alpha via alpha beta alpha
	no_images
}

# example NAME SED-SCRIPT: as a person would change it.
example() { sed "$2" "$top/scripts/$1" | write_program "$1"; }

# bird HOST: with the configuration of stdin.
bird() {
	on "$1" tee /etc/bird/bird.conf >/dev/null
	on "$1" sh -c 'mkdir -p /run/bird && setsid bird </dev/null >/tmp/bird.log 2>&1'
}

established() { on client "$@" | grep -c Established | grep -qx 2; }

@test "a route of BIRD's" {
	local host number=0
	"$top/scripts/lab" install bird2
	for host in alpha beta; do
		number=$((number + 1))
		bird "$host" <<-END
		router id 192.0.2.$number;
		protocol device { }
		protocol static service_198_51_100_100 {
			disabled yes;
			ipv4;
			route 198.51.100.100/32 via "eth0";
		}
		protocol bgp client {
			local as 65001;
			neighbor 192.0.2.3 as 65003;
			connect delay time 1;
			error wait time 1, 2;
			ipv4 { import none; export where source = RTS_STATIC; next hop self; };
		}
		END
	done
	bird client <<-END
	router id 192.0.2.3;
	protocol device { }
	protocol kernel { ipv4 { import none; export all; }; }
	template bgp host {
		local as 65003;
		connect delay time 1;
		error wait time 1, 2;
		ipv4 { import all; export none; };
	}
	protocol bgp alpha from host { neighbor 192.0.2.1 as 65001; }
	protocol bgp beta from host { neighbor 192.0.2.2 as 65001; }
	END
	until_true 30 "the routers know one another" established birdc show protocols
	example address-by-route ''
	there_and_back /shared/address-by-route
}

# frr HOST: with the configuration of stdin.
frr() {
	on "$1" tee /etc/frr/frr.conf >/dev/null
	on "$1" sh -c 'sed -i s/^bgpd=no/bgpd=yes/ /etc/frr/daemons; chown frr:frr /etc/frr/frr.conf
		setsid /usr/lib/frr/frrinit.sh start </dev/null >/tmp/frr.log 2>&1'
}

# Established sessions have a time and a number of prefixes.
frr_knows() { [ "$(on client vtysh -c 'show bgp summary json' | jq '[.. | .state? | select(. == "Established")] | length')" = 2 ]; }

@test "a route of FRR's" {
	local host number=0
	"$top/scripts/lab" install frr
	for host in alpha beta; do
		number=$((number + 1))
		frr "$host" <<-END
		router bgp 65001
		 bgp router-id 192.0.2.$number
		 no bgp ebgp-requires-policy
		 neighbor 192.0.2.3 remote-as 65003
		 neighbor 192.0.2.3 timers connect 1
		END
	done
	frr client <<-END
	router bgp 65003
	 bgp router-id 192.0.2.3
	 no bgp ebgp-requires-policy
	 neighbor 192.0.2.1 remote-as 65001
	 neighbor 192.0.2.1 timers connect 1
	 neighbor 192.0.2.2 remote-as 65001
	 neighbor 192.0.2.2 timers connect 1
	END
	until_true 30 "the routers know one another" frr_knows
	example address-by-route 's/^router=bird /router=frr /'
	there_and_back /shared/address-by-route
}

@test "a floating address behind an HTTP API" {
	local host
	"$top/scripts/lab" install curl
	on client sh -c 'setsid python3 /src/tests/services/floating.py 8080 sesame </dev/null >/shared/floating.log 2>&1 &'
	for host in alpha beta; do
		on "$host" sh -c 'hostname >/etc/criu/address-by-http.server; umask 077
			echo sesame >/etc/criu/address-by-http.token'
	done
	example address-by-http 's|^api=.*|api=http://192.0.2.3:8080/v1|'
	until_true 10 "the API answers" on client sh -c 'ss -Hltn "sport = 8080" | grep .'
	there_and_back /shared/address-by-http

	# A token that others may read, or that is wrong
	on alpha chmod 644 /etc/criu/address-by-http.token
	exits 1 'only root may read it; chown root, chmod 600' on alpha /src/build/ip-takeover check
	on alpha sh -c 'chmod 600 /etc/criu/address-by-http.token; echo x >/etc/criu/address-by-http.token'
	exits 1 'status 198.51.100.100 failed (exit status 2): .*401' on alpha /src/build/ip-takeover check
}
