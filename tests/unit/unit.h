/* SPDX-License-Identifier: GPL-2.0-only */
/* What the unit tests share: cmocka, and namespaces of their own. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define unit_main(name, tests, setup, teardown)                                                    \
	cmocka_run_group_tests_name(name, tests, setup, teardown)

/* Enter a user and network namespace of this test's own, where it is root and
 * no other interface exists. The test is skipped, with the reason, where the
 * kernel does not let it. */
void unit_need_netns(void);

/* The same for a mount namespace with an empty /run. */
void unit_need_run(void);

/* Run a shell line and fail the test, naming it, when it fails. */
void unit_run(const char *line);

#endif
