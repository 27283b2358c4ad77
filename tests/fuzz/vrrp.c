// SPDX-License-Identifier: GPL-2.0-only
/* keepalived's account of itself. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "vrrp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct takeover_vrrp vrrp;
	struct takeover_address a;
	char error[300] = "";
	int ret;

	assert(takeover_address_parse("192.0.2.100", &a) == 0);
	ret = takeover_vrrp_parse((const char *)data, size, &a, "", "", &vrrp, error,
				  sizeof(error));
	if (ret < 0) {
		assert(ret == -ENOENT || ret == -EINVAL);
		for (const char *c = error; *c; c++)
			assert(*c >= ' ' && *c <= '~');
		return 0;
	}
	assert(ret == 0 && vrrp.instance[0] && vrrp.n_ips <= TAKEOVER_VRRP_IPS_MAX);
	assert(takeover_vrrp_is_track_file(vrrp.track_file));
	for (size_t i = 0; i < vrrp.n_ips; i++)
		fuzz_check_address(&vrrp.ips[i]);
	assert(vrrp.n_adverts <= TAKEOVER_VRRP_GROUP_MAX);
	for (size_t i = 0; i < vrrp.n_adverts; i++) {
		unsigned char message[TAKEOVER_ADVERT_MAX];
		size_t n;

		assert(memchr(vrrp.adverts[i].device, 0, IF_NAMESIZE));
		if (takeover_advert_build(message, sizeof(message), &vrrp.adverts[i], &n) == 0)
			assert(takeover_advert_priority(message, n, vrrp.adverts[i].source,
							&vrrp.adverts[i]) > 0);
	}
	return 0;
}
