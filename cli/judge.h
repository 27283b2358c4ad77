/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a service can move here, or leave, by its facts. Each finding is one line with its
 * remedy; nothing on this host changes, and all that is sent is one probe an address.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <jansson.h>

#include "check.h"
#include "facts_read.h"

#define JUDGE_CONTAINER_CRIU 400 /* 4.0 */
#define JUDGE_MAX_FREEZE_S   60	 /* the default */

/* On the destination. @json is untrusted. Adds its findings to @c, which began zeroed but for
 * criu_name; check_ok(@c) is the answer, check_print() prints it. -EINVAL when @json is no
 * facts, which is a finding, too; -ENOMEM. */
int judge(const json_t *json, struct checks *c);

/* The same on the source: what can be said of the facts before anybody else is asked. The
 * freeze must be shorter than @max_freeze_s. */
int judge_here(const json_t *json, unsigned int max_freeze_s, struct checks *c);

/* How long the service will be frozen, in ms: an estimate. */
unsigned long judge_freeze_ms(const struct facts *facts);

/* Whether it is missing here, or another. */
bool judge_file_differs(const struct facts_file *file);

/* facts_read(); that they are none is a finding. */
int judge_read(const json_t *json, struct checks *c, struct facts **ret_facts);

/* criu says that an address is in use, which the parts below have not found: @why becomes the
 * port that has been taken since, and by whom, if one has. */
void judge_ports_again(const json_t *facts, char *why, size_t len);

/* The parts of judge(). */
void judge_host(const struct facts *facts, struct checks *c);
void judge_cpu(const struct facts *facts, struct checks *c);
void judge_addresses(const struct facts *facts, struct checks *c);
void judge_takeovers(const struct facts *facts, struct checks *c);
void judge_ids(const struct facts *facts, struct checks *c);
void judge_ports(const struct facts *facts, struct checks *c);
void judge_files(const struct facts *facts, struct checks *c);
void judge_room(const struct facts *facts, struct checks *c);

/* A part of judge_here(). */
void judge_shared(const struct facts *facts, struct checks *c);

/* No more lines of one kind than this; then a count. */
#define JUDGE_LINES_MAX 20

#endif
