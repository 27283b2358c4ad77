# SPDX-License-Identifier: GPL-2.0-only
PREFIX ?= /usr/local
DESTDIR ?=
UNITS ?= $(PREFIX)/lib/systemd/system
# Whose criu is to load the plugin, too: runc (docker, podman), crun (podman). By `make install`.
RUNTIMES ?=
CC ?= gcc
CFLAGS ?= -O2 -g
# A directory with criu/criu-plugin.h, when it is not to be /usr/include.
CRIU_HEADERS ?=
VERSION := 0.1

B := build
PKGS := libnl-3.0 libnl-route-3.0 libmnl libnftnl jansson libconfig
# The command alone reads build ids, and compresses.
CLI_PKGS := libelf libzstd
BUILD_DEPS := gcc libc6-dev make pkg-config libnl-3-dev libnl-route-3-dev libmnl-dev libnftnl-dev \
	libjansson-dev libconfig-dev libelf-dev libxxhash-dev libzstd-dev libcmocka-dev libssl-dev criu
LAB_DEPS := mmdebstrap util-linux iproute2 openssh-client procps bats jq
FUZZ_DEPS := clang libclang-rt-dev

ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -fPIC -fvisibility=hidden -Itakeover -Icli \
	-DTAKEOVER_VERSION='"$(VERSION)"' $(addprefix -isystem ,$(CRIU_HEADERS)) \
	$(shell pkg-config --cflags $(PKGS)) -MMD -MP $(CFLAGS)
LIBS = $(shell pkg-config --libs $(PKGS))
CLI_LIBS = $(shell pkg-config --libs $(CLI_PKGS))

ifeq ($(V),1)
run =
else
run = @echo "  $(1) $@";
endif

CLI_OBJ := $(patsubst %.c,$(B)/%.o,$(filter-out cli/main.c,$(wildcard cli/*.c)))
LIB_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard takeover/*.c))
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/unit-%,$(filter-out tests/unit/unit.c,$(wildcard tests/unit/*.c)))
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz-%,$(wildcard tests/fuzz/*.c))

all: $(B)/ip-takeover $(B)/criu-action $(B)/plugin/ip_takeover_plugin.so

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/libtakeover.a: $(LIB_OBJ)
	$(call run,AR)$(AR) rcs $@ $^

$(B)/libcli.a: $(CLI_OBJ)
	$(call run,AR)$(AR) rcs $@ $^

$(B)/ip-takeover: $(B)/cli/main.o $(B)/libcli.a $(B)/libtakeover.a
	$(call run,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) $(CLI_LIBS)

# Thin: the stage table and the request, nothing else of the library.
THIN := $(B)/takeover/stage.o $(B)/takeover/request.o $(B)/takeover/armed.o

$(B)/criu-action: $(B)/hooks/criu-action.o $(THIN)
	$(call run,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(B)/plugin/ip_takeover_plugin.so: $(B)/plugin/ip_takeover_plugin.o $(THIN)
	$(call run,LD)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^ -ldl

$(B)/takeover-load: $(patsubst %.c,$(B)/%.o,$(wildcard tests/load/*.c))
	$(call run,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -ljansson -lcrypto

$(B)/tests/unit-%: $(B)/tests/unit/%.o $(B)/tests/unit/unit.o $(B)/libcli.a $(B)/libtakeover.a
	$(call run,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) $(CLI_LIBS) -lcmocka

# For tests/lab/versions.bats, on x86-64.
$(B)/old-kernel: $(B)/tests/lab/old_kernel.o
	$(call run,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(B)/old-kernel.so: $(B)/tests/lab/old_kernel.o
	$(call run,LD)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^

# For tests/lab/nat.bats.
$(B)/nat: $(B)/tests/lab/nat.o $(B)/libtakeover.a
	$(call run,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

plugin: $(B)/plugin/ip_takeover_plugin.so
	@:

unit: $(UNIT)
	@:

# libFuzzer's main.
$(B)/tests/fuzz-%: $(B)/tests/fuzz/%.o $(B)/libcli.a $(B)/libtakeover.a
	$(call run,LD)$(CC) $(CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LIBS) $(CLI_LIBS)

fuzz-targets: $(FUZZ)
	@:

# The plugin's header is in Debian 12's criu, and in Debian 13's libcriu-dev.
deps:
	@scripts/deps $(BUILD_DEPS) $(MORE_DEPS)
	@[ -e /usr/include/criu/criu-plugin.h ] || scripts/deps libcriu-dev

lab-deps: MORE_DEPS = $(LAB_DEPS)
lab-deps: deps

# Everything that the lab's hosts run.
hosts: all $(B)/takeover-load
	@:

# The same tests under ASAN and UBSAN.
sanitized:
	@$(MAKE) --no-print-directory B=$(B)/sanitized unit \
		CFLAGS='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all'

# Each parser of what comes from outside, by libFuzzer under ASAN and UBSAN.
fuzzers:
	@$(MAKE) --no-print-directory B=$(B)/fuzz CC=clang fuzz-targets \
		CFLAGS='-O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'

fuzz: MORE_DEPS = $(FUZZ_DEPS)
fuzz: deps
	@$(MAKE) --no-print-directory fuzzers
	@tests/fuzz/run

# The plugin once more on the headers of the oldest CRIU, and on those of the lab hosts' own.
headers-check:
	@old=$$(scripts/lab.d/base bookworm) && new=$$(scripts/lab.d/base) && \
	$(MAKE) -B --no-print-directory B=$(B)/criu-3.17 CRIU_HEADERS=$$old/usr/include plugin && \
	$(MAKE) -B --no-print-directory B=$(B)/criu-4 CRIU_HEADERS=$$new/usr/include plugin

check: MORE_DEPS = $(LAB_DEPS) $(FUZZ_DEPS)
check: deps
	@$(MAKE) --no-print-directory hosts unit
	@$(MAKE) --no-print-directory sanitized
	@$(MAKE) --no-print-directory fuzzers
	@tests/run

demo: lab-deps
	@$(MAKE) --no-print-directory hosts
	@scripts/demo

bench: lab-deps
	@$(MAKE) --no-print-directory hosts
	@scripts/bench

# Each who takes part in a migration killed at each of its steps.
faults: lab-deps
	@$(MAKE) --no-print-directory hosts
	@FAULTS=all bats tests/lab/migrate_faults.bats tests/lab/doubt.bats \
		tests/lab/runc_faults.bats tests/lab/leave_running.bats tests/lab/*_long.bats

# Four services under load, there and back, so many times.
ROUNDS ?= 50
soak: lab-deps
	@$(MAKE) --no-print-directory hosts
	@ROUNDS=$(ROUNDS) tests/soak

lint: MORE_DEPS = shellcheck clang
lint: deps
	shellcheck -x -P SCRIPTDIR .ci/run scripts/deps scripts/demo scripts/bench scripts/lab scripts/lab.d/* tests/run \
		scripts/keepalived-notify scripts/address-by-* scripts/runtime-conf \
		tests/fuzz/run tests/soak
	shellcheck -x -P SCRIPTDIR -s bash scripts/bench.d/*.bash tests/lab/*.bash
	$(MAKE) --no-print-directory B=$(B)/clang CC=clang hosts unit

runtime-conf = DESTDIR='$(DESTDIR)' LIBDIR='$(PREFIX)/lib/criu-ip-takeover' scripts/runtime-conf

install: all
	install -D -m 755 $(B)/ip-takeover $(DESTDIR)$(PREFIX)/sbin/ip-takeover
	install -D -m 755 $(B)/criu-action $(DESTDIR)$(PREFIX)/libexec/criu-ip-takeover/criu-action
	install -D -m 644 $(B)/plugin/ip_takeover_plugin.so \
		$(DESTDIR)$(PREFIX)/lib/criu-ip-takeover/ip_takeover_plugin.so
	install -m 755 scripts/address-by-route scripts/address-by-http scripts/runtime-conf \
		$(DESTDIR)$(PREFIX)/libexec/criu-ip-takeover
	install -D -m 644 man/ip-takeover.8 $(DESTDIR)$(PREFIX)/share/man/man8/ip-takeover.8
	install -D -m 755 scripts/keepalived-notify \
		$(DESTDIR)$(PREFIX)/libexec/criu-ip-takeover/keepalived-notify
	install -D -m 644 scripts/keepalived.conf \
		$(DESTDIR)$(PREFIX)/share/doc/criu-ip-takeover/keepalived.conf
	install -D -m 644 scripts/ip-takeover-checkpoint.cron \
		$(DESTDIR)$(PREFIX)/share/doc/criu-ip-takeover/ip-takeover-checkpoint.cron
	install -d $(DESTDIR)$(UNITS)
	sed 's|@PREFIX@|$(PREFIX)|' "scripts/systemd/ip-takeover-checkpoint@.service" \
		>"$(DESTDIR)$(UNITS)/ip-takeover-checkpoint@.service"
	chmod 644 "$(DESTDIR)$(UNITS)/ip-takeover-checkpoint@.service"
	install -m 644 "scripts/systemd/ip-takeover-checkpoint@.timer" $(DESTDIR)$(UNITS)
	$(if $(RUNTIMES),$(runtime-conf) add $(RUNTIMES))

# criu fails where its libdir is configured and missing: the lines go first.
uninstall:
	$(runtime-conf) remove
	rm -f $(DESTDIR)$(PREFIX)/sbin/ip-takeover $(DESTDIR)$(PREFIX)/share/man/man8/ip-takeover.8
	rm -rf $(DESTDIR)$(PREFIX)/libexec/criu-ip-takeover $(DESTDIR)$(PREFIX)/lib/criu-ip-takeover \
		$(DESTDIR)$(PREFIX)/share/doc/criu-ip-takeover
	rm -f "$(DESTDIR)$(UNITS)/ip-takeover-checkpoint@.service" \
		"$(DESTDIR)$(UNITS)/ip-takeover-checkpoint@.timer"

clean:
	rm -rf $(B)

.PHONY: all plugin unit fuzz-targets fuzzers fuzz sanitized hosts deps lab-deps headers-check check demo bench faults soak lint install uninstall clean
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
