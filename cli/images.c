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

int images_name_dir(const char *name, size_t len, size_t *ret_skip)
{
	*ret_skip = 0;
	if (len > 2 && name[1] == '/' && name[0] >= '2' && name[0] <= '9') {
		*ret_skip = 2;
		return name[0] - '0';
	}
	if (len > 3 && name[2] == '/' && name[0] == '1' && name[1] >= '0' && name[1] <= '6') {
		*ret_skip = 3;
		return 10 + name[1] - '0';
	}
	return 1;
}

long images_pages_number(const char *name)
{
	int end = 0;
	unsigned int number;

	if (sscanf(name, "pages-%9u.img%n", &number, &end) != 1 || end == 0 || name[end] != '\0')
		return -1;
	return number;
}
