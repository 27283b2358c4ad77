// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel says of its queues. */
#include <errno.h>

#include "lost.h"
#include "unit.h"

static void waiting(void **state)
{
	static const char text[] = "29696  12345     7 2 65535     0     0       12  1\n"
				   "29697  12345     0 2 65535     3     0        4  1\n";

	(void)state;
	assert_int_equal(takeover_lost_waiting(text, 29696), 7);
	assert_int_equal(takeover_lost_waiting(text, 29697), 0);
	assert_int_equal(takeover_lost_waiting(text, 29698), -ENOENT);
	assert_int_equal(takeover_lost_waiting("", 29696), -ENOENT);
	assert_int_equal(takeover_lost_waiting("29696", 29696), -ENOENT);
	assert_int_equal(takeover_lost_waiting("\n\n29696 1 2", 29696), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waiting),
	};

	return unit_main("lost", tests, NULL, NULL);
}
