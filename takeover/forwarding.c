// SPDX-License-Identifier: GPL-2.0-only
/* Forwarding, by its sysctls. */
#include <stdio.h>

#include "forwarding.h"

static bool is_on(const char *family, const char *device, const char *name)
{
	char path[96];
	int value = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, device, name);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fscanf(f, "%d", &value) != 1)
		value = 0;
	fclose(f);
	return value != 0;
}

bool takeover_forwards(const struct takeover_address *a)
{
	if (a->family == AF_INET)
		return is_on("ipv4", a->device, "forwarding");
	/* The device's own "forwarding" says only how its neighbours see this host. */
	return is_on("ipv6", "all", "forwarding") || is_on("ipv6", a->device, "force_forwarding");
}
