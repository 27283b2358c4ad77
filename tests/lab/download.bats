#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A long answer is under way when its server moves: nginx with full send queues.

load helper
load nginx

# download WAY [OPTION...]
download() {
	local way=$1
	shift
	start_nginx
	start_download "$@"
	dump "$way"
	restore beta "$way"
	end_download
	# A restored connection's own retransmission timer runs three seconds.
	echo "longest gap $(field "$shared/download.json" longest_gap_s) s"
	[ "$(field "$shared/download.json" longest_gap_s | cut -d. -f1)" -lt 3 ]
	moved
	silent_before_claim
}

@test "a download at 40 MiB/s, plugin" { download plugin --rate $((40 << 20)); }
@test "a download at 40 MiB/s, scripts" { download scripts --rate $((40 << 20)); }
@test "a reader so slow that the window is shut" { download plugin --rate $((24 << 20)) --receive-buffer 16384; }
