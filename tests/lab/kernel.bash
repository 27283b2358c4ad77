# SPDX-License-Identifier: GPL-2.0-only
# A kernel that refuses what is asked of it. To be loaded after helper.
# shellcheck disable=SC2154,SC2034 # variables of helper, and for those who load this

# kernel_refuses VARIABLE=TIMES...: see refuse.c; sets $ours to the action script of a keeper for
# which that holds.
kernel_refuses() {
	mkdir "$shared/bin"
	cc -shared -fPIC -o "$shared/refuse.so" "$top/tests/lab/refuse.c" -ldl
	cp "$top/build/criu-action" "$shared/bin/"
	cat >"$shared/bin/ip-takeover" <<-END
	#!/bin/sh
	$* LD_PRELOAD=/shared/refuse.so exec /src/build/ip-takeover "\$@"
	END
	chmod +x "$shared/bin/ip-takeover"
	ours=(--action-script /shared/bin/criu-action)
}
