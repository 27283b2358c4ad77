#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The link between the hosts breaks for good right at the commit, and the destination is in
# doubt: frozen and silent, it asks, and follows its configuration, or a person.

load helper
load faults

eval "lab_$(declare -f teardown)"
teardown() {
	go_on
	lab_teardown
}

in_doubt() { until_true 15 "beta is in doubt" says beta 'in doubt'; }

# The source commits, and beta never hears it.
cut_after_commit() {
	busy
	stopped_at source committed
	cut
	go_on_from migrate
	in_doubt
	says alpha committed
	no_process alpha
	until_true 5 "it is restored, frozen" on beta pgrep -x "$service"
	[ -z "$(who_has)" ]
}

# The source never hears that beta is ready.
cut_before_commit() {
	busy
	stopped_at destination ready
	cut
	go_on_from receive
	over 40
	cat "$shared/migrate.err"
	grep -q 'was not moved' "$shared/migrate.err"
	until_true 10 "alpha answers" answers_go_on
	in_doubt
	[ "$(who_has)" = "$(mac_of alpha)" ]
}

@test "cut after the commit: wait; the link comes back: beta has it" {
	cut_after_commit
	heal
	over
	all_or_nothing
	[ "$owner" = beta ]
}

@test "cut after the commit, no keeper heard: wait; the link comes back: beta has it" {
	no_words
	cut_after_commit
	heal
	over
	grep '^moved' "$shared/migrate.err"
	all_or_nothing
	[ "$owner" = beta ]
}

@test "cut after the commit: wait; a person says commit" {
	cut_after_commit
	on beta /src/build/ip-takeover commit "$(id_on beta)"
	until_true 10 "beta goes on" says beta 'the service runs here'
	answers_go_on
	over 40
	# What alpha holds goes where alpha can hear.
	heal
	all_or_nothing
	[ "$owner" = beta ]
}

@test "cut after the commit: go" {
	policy 'in_doubt = "go"; in_doubt_seconds = 1;'
	cut_after_commit
	until_true 10 "beta goes on" says beta 'the service runs here'
	answers_go_on
	over 40
	heal
	all_or_nothing
	[ "$owner" = beta ]
}

@test "cut after the commit: abort: the images stay on alpha" {
	policy 'in_doubt = "abort"; in_doubt_seconds = 1;'
	cut_after_commit
	until_true 10 "beta gives up" says beta 'rolled back'
	over 40
	is_clean_of_process
	grep -q 'Its images stay in /' "$shared/migrate.err"
	on alpha sh -c 'cd /dev/shm/ip-takeover-* && criu restore --images-dir . -d -v4 -o restore.log \
		--tcp-established --network-lock skip --action-script /src/build/criu-action && rm -r "$PWD"'
	heal
	all_or_nothing
	[ "$owner" = alpha ]
}

is_clean_of_process() { no_process alpha && until_true 5 "beta has none" no_process beta; }

# ssh dies, and the keepers cannot hear one another: nobody tells beta but migrate, over a new
# connection.
lost_at_commit() {
	busy
	no_words
	stopped_at source committed
	signal_to KILL ssh
	"$@"
	in_doubt
	[ -z "$(who_has)" ]
	go_on_from migrate
	over
	cat "$shared/migrate.err"
	wait "$mover"
	grep -q 'the connection broke at the commit' "$shared/migrate.err"
	grep -q '^moved redis-server' "$shared/migrate.err"
	says beta 'the service runs here' || no_journal beta
}

@test "the connection lost after the commit: migrate makes another one" {
	lost_at_commit
	all_or_nothing
	[ "$owner" = beta ]
}

@test "the connection and alpha's keeper lost after the commit: migrate makes another one" {
	lost_at_commit signal_to KILL source-keeper
	grep -q 'beta says that it runs' "$shared/migrate.err"
	all_or_nothing
	[ "$owner" = beta ]
}

@test "the connection lost after the commit, and none to be had: it says how to go on" {
	busy
	no_words
	stopped_at source committed
	on beta sh -c 'kill $(cat /run/sshd.pid)'
	signal_to KILL ssh
	in_doubt
	says alpha 'committed; the other host has not been heard: ip-takeover migrate --resume ID'
	says beta 'where the source is committed: ip-takeover commit ID, or there ip-takeover migrate --resume ID'
	go_on_from migrate
	over 40
	exits 0 "migrate --resume $(id_on alpha) --to beta. Its images" cat "$shared/migrate.err"
	exits 0 'redis-server: committed; the other host has not said' on alpha /src/build/ip-takeover report
	exits 0 'told anew .* times: ssh: connect to host beta' cat "$shared/migrate.err"
	on beta /usr/sbin/sshd
	on alpha /src/build/ip-takeover migrate --resume "$(id_on alpha)" --to beta --remote-program /src/build/ip-takeover 3>&-
	on alpha sh -c 'rm -r /dev/shm/ip-takeover-*'
	all_or_nothing
	[ "$owner" = beta ]
}

criu_is_another() { [ -n "$(pids_of destination-criu)" ] && [ "$(pids_of destination-criu)" != "$hit" ]; }

@test "the connection lost after the commit, and beta's criu: restored again, and a person says commit" {
	busy
	no_words
	stopped_at source committed
	signal_to KILL ssh
	in_doubt
	signal_to KILL destination-criu
	until_true 10 "beta restores it again" criu_is_another
	until_true 10 "it is frozen there again" says beta 'restored, frozen and silent; where'
	[ -z "$(who_has)" ]
	on beta /src/build/ip-takeover commit "$(id_on beta)"
	go_on_from migrate
	over
	cat "$shared/migrate.err"
	all_or_nothing
	[ "$owner" = beta ]
}

@test "cut before the commit: wait; the link comes back: alpha keeps it" {
	cut_before_commit
	heal
	all_or_nothing
	[ "$owner" = alpha ]
}

@test "cut before the commit: wait; a person says rollback" {
	cut_before_commit
	on beta /src/build/ip-takeover rollback "$(id_on beta)"
	heal
	all_or_nothing
	[ "$owner" = alpha ]
}

@test "cut before the commit: abort" {
	policy 'in_doubt = "abort"; in_doubt_seconds = 1;'
	cut_before_commit
	until_true 10 "beta gives up" says beta 'rolled back'
	heal
	all_or_nothing
	[ "$owner" = alpha ]
}

# What the manual warns of, and how a person ends it.
@test "cut before the commit: go: it runs on both" {
	policy 'in_doubt = "go"; in_doubt_seconds = 1;'
	start_redis
	stopped_at destination ready
	cut
	go_on_from receive
	over 40
	exits 0 'was not moved, and runs here' cat "$shared/migrate.err"
	until_true 10 "beta has gone on" no_keeper beta
	no_journal beta
	says alpha 'the service runs here'
	for host in alpha beta; do
		holds_address $host
		on $host pgrep -x "$service"
	done
	on beta pkill -x "$service"
	on beta /src/build/ip-takeover withdraw $address
	heal
	on client ip neigh flush dev eth0
	until_true 20 "alpha has it, alone" one_copy
	forget alpha
	owner_is alpha
}

@test "both movers and alpha's keeper killed after the commit: resumed by hand" {
	busy
	stopped_at source committed
	cut
	signal_to KILL source-keeper
	signal_to KILL migrate
	go_on
	in_doubt
	signal_to KILL receive
	heal
	says alpha 'keeper was killed when it had committed: ip-takeover migrate --resume ID'
	# Nobody answers on the segment.
	says beta 'in doubt'
	on alpha /src/build/ip-takeover migrate --resume "$(id_on alpha)" --to beta --remote-program /src/build/ip-takeover 3>&-
	until_true 10 "beta goes on" says beta 'the service runs here'
	answers_go_on
	forget alpha
	all_or_nothing
	[ "$owner" = beta ]
}

@test "a commit by hand of what is not in doubt is refused" {
	busy
	stopped_at source commit
	says alpha 'handed over: the other host restores it, and nothing is decided'
	says beta 'restored, frozen and silent; the source decides'
	exits 1 'it is not in doubt' on beta /src/build/ip-takeover commit "$(id_on beta)"
	exits 1 'this host is the source' on alpha /src/build/ip-takeover commit "$(id_on alpha)"
	go_on_from migrate
	over
	all_or_nothing
	[ "$owner" = beta ]
}
