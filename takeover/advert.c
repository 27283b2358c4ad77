// SPDX-License-Identifier: GPL-2.0-only
/* Builder and parser of VRRP advertisements. No I/O. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"
#include "advert.h"

#define HEADER	  8
#define V2_AUTH	  8 /* zeroes: no authentication (RFC 3768 section 5.3.6) */
#define ADVERTISE 1

static uint32_t add(uint32_t sum, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : p[i] << 8;
	return sum;
}

/* Over the message, its own field included; from version 3 on with a pseudo-header
 * (RFC 5798 section 5.2.8). Zero when the field is right. */
static uint16_t checksum(const unsigned char *p, size_t n, const unsigned char *source,
			 const struct takeover_advert *a)
{
	size_t ip = takeover_family_len(a->family);
	uint32_t sum = add(0, p, n);

	if (a->version == 3 && !a->plain_checksum)
		sum = add(add(sum, source, ip), a->group, ip) + n + TAKEOVER_ADVERT_PROTOCOL;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static size_t tail_of(unsigned int version)
{
	return version == 2 ? V2_AUTH : 0;
}

static bool can_be_said(const struct takeover_advert *a)
{
	unsigned int unit = a->version == 2 ? 1000 : 10, max = a->version == 2 ? 255 : 4095;

	return (a->family == AF_INET || (a->family == AF_INET6 && a->version == 3)) &&
	       (a->version == 2 || a->version == 3) && a->vrid > 0 && a->vrid < 256 &&
	       a->priority < 256 && a->n_ips > 0 && a->n_ips <= TAKEOVER_ADVERT_IPS_MAX &&
	       a->interval_ms >= unit && a->interval_ms / unit <= max;
}

int takeover_advert_build(unsigned char *buf, size_t len, const struct takeover_advert *a,
			  size_t *ret_len)
{
	size_t ip = takeover_family_len(a->family), n;
	unsigned int interval;
	uint16_t sum;

	if (!can_be_said(a))
		return -EINVAL;
	n = HEADER + a->n_ips * ip + tail_of(a->version);
	if (n > len)
		return -EMSGSIZE;
	memset(buf, 0, n);
	buf[0] = a->version << 4 | ADVERTISE;
	buf[1] = a->vrid;
	buf[2] = a->priority;
	buf[3] = a->n_ips;
	/* Version 2: no authentication, seconds; version 3: 12 bits of centiseconds. */
	interval = a->interval_ms / (a->version == 2 ? 1000 : 10);
	buf[4] = interval >> 8;
	buf[5] = interval;
	for (size_t i = 0; i < a->n_ips; i++)
		memcpy(buf + HEADER + i * ip, a->ips[i], ip);
	sum = checksum(buf, n, a->source, a);
	buf[6] = sum >> 8;
	buf[7] = sum;
	*ret_len = n;
	return 0;
}

int takeover_advert_priority(const unsigned char *p, size_t len, const unsigned char *source,
			     const struct takeover_advert *a)
{
	size_t n;

	if (len < HEADER || p[0] != (a->version << 4 | ADVERTISE) || p[1] != a->vrid)
		return -EINVAL;
	n = HEADER + p[3] * takeover_family_len(a->family) + tail_of(a->version);
	/* With a password we could not answer (RFC 2338 section 5.3.6). */
	if (n > len || (a->version == 2 && p[4] != 0))
		return -EINVAL;
	return checksum(p, n, source, a) == 0 ? p[2] : -EINVAL;
}
