// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const unsigned char *bytes, size_t n)
{
	char *text = malloc((n + 2) / 3 * 4 + 1), *end = text;

	for (size_t i = 0; text && i < n; i += 3) {
		size_t left = n - i;
		uint32_t group = bytes[i] << 16 | (left > 1 ? bytes[i + 1] << 8 : 0) |
				 (left > 2 ? bytes[i + 2] : 0);

		*end++ = digits[group >> 18];
		*end++ = digits[group >> 12 & 63];
		*end++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*end++ = left > 2 ? digits[group & 63] : '=';
	}
	if (text)
		*end = '\0';
	return text;
}

ssize_t base64_decode(const char *text, unsigned char *ret_bytes, size_t max)
{
	size_t len = strlen(text), padding = 0, n = 0;

	while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
		padding++;
	if (len % 4 != 0)
		return -EINVAL;
	if (len / 4 * 3 - padding > max)
		return -EMSGSIZE;
	for (size_t i = 0; i < len; i += 4) {
		size_t good = i + 4 == len ? 4 - padding : 4;
		uint32_t group = 0;

		for (size_t k = 0; k < good; k++) {
			const char *digit = strchr(digits, text[i + k]);

			if (!digit)
				return -EINVAL;
			group |= (uint32_t)(digit - digits) << (18 - 6 * k);
		}
		/* The bits that make no whole byte are zero: each text has one meaning. */
		if (group & ((1U << 8 * (4 - good)) - 1))
			return -EINVAL;
		for (size_t k = 0; k + 1 < good; k++)
			ret_bytes[n++] = group >> (16 - 8 * k);
	}
	return n;
}
