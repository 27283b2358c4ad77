// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "images.h"

bool images_name_is_plain(const char *name, size_t len)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._-";

	for (size_t i = 0; i < len; i++)
		if (name[i] == '\0' || !strchr(plain, name[i]))
			return false;
	return len > 0 && len <= IMAGES_NAME_MAX && name[0] != '.';
}

long images_pages_number(const char *name)
{
	int end = 0;
	unsigned int number;

	if (sscanf(name, "pages-%9u.img%n", &number, &end) != 1 || end == 0 || name[end] != '\0')
		return -1;
	return number;
}
