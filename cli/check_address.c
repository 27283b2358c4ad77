// SPDX-License-Identifier: GPL-2.0-only
/* Checks of the configured addresses and their devices. */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "announce.h"
#include "check.h"

/* Flags and hardware type of @device. */
static int read_device(const char *device, short *ret_flags, unsigned short *ret_type)
{
	int ret = 0, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { 0 };

	if (fd < 0)
		return -errno;
	strncpy(ifr.ifr_name, device, sizeof(ifr.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFFLAGS, &ifr) < 0) {
		ret = -errno;
		goto out;
	}
	*ret_flags = ifr.ifr_flags;
	if (ioctl(fd, SIOCGIFHWADDR, &ifr) < 0)
		ret = -errno;
	else
		*ret_type = ifr.ifr_hwaddr.sa_family;
out:
	close(fd);
	return ret;
}

static void check_device(struct checks *c, const char *device)
{
	struct takeover_wire *wire = NULL;
	char name[40], remedy[80];
	unsigned short type = 0;
	short flags = 0;
	int ret = read_device(device, &flags, &type);

	snprintf(name, sizeof(name), "device %s", device);
	snprintf(remedy, sizeof(remedy), "ip link set %s up", device);
	if (ret == -ENODEV) {
		check_say(c, CHECK_NO, name,
			  "name an existing one in the configuration; `ip link` lists them",
			  "there is no such device");
		return;
	}
	if (ret < 0) {
		check_say(c, CHECK_NO, name, "see `ip link`", "cannot be read: %s", strerror(-ret));
		return;
	}
	if (type != ARPHRD_ETHER) {
		check_say(c, CHECK_NO, name, "name an Ethernet device in the configuration",
			  "no Ethernet device (hardware type %u): announcements are ARP and "
			  "neighbour discovery",
			  type);
		return;
	}
	if (!(flags & IFF_UP)) {
		check_say(c, CHECK_NO, name, remedy, "is down");
		return;
	}
	if (!c->root) {
		check_needs_root(c, name);
		return;
	}
	ret = takeover_wire_open(device, &wire);
	takeover_wire_close(wire);
	if (ret < 0)
		check_say(c, CHECK_NO, name, "a kernel with CONFIG_PACKET, and CAP_NET_RAW",
			  "cannot open a packet socket: %s", strerror(-ret));
	else if (!(flags & IFF_RUNNING))
		check_say(c, CHECK_WARNING, name, "see to its cable or peer",
			  "up, without a carrier");
	else
		check_say(c, CHECK_OK, name, NULL, "up, can announce");
}

void check_devices(struct checks *c)
{
	for (size_t i = 0; i < c->config.n_addresses; i++) {
		const char *device = c->config.addresses[i].device;
		bool seen = false;

		for (size_t k = 0; k < i && !seen; k++)
			seen = strcmp(c->config.addresses[k].device, device) == 0;
		if (!seen)
			check_device(c, device);
	}
}

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned int bits)
{
	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8) == 0;
}

static unsigned int mask_bits(const unsigned char *mask, size_t len)
{
	unsigned int bits = 0;

	for (size_t i = 0; i < len; i++)
		bits += __builtin_popcount(mask[i]);
	return bits;
}

/* The bytes of @sa, which is of @family. */
static const unsigned char *bytes(const struct sockaddr *sa, int family)
{
	if (family == AF_INET)
		return (const void *)&((const struct sockaddr_in *)sa)->sin_addr;
	return (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr;
}

/* Whether the device has an address whose subnet @a is in. */
static bool connected(const struct takeover_address *a)
{
	size_t len = takeover_family_len(a->family);
	struct ifaddrs *all = NULL;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (struct ifaddrs *i = all; i && !found; i = i->ifa_next)
		found = i->ifa_addr && i->ifa_netmask && i->ifa_addr->sa_family == a->family &&
			strcmp(i->ifa_name, a->device) == 0 &&
			same_bits(bytes(i->ifa_addr, a->family), a->ip,
				  mask_bits(bytes(i->ifa_netmask, a->family), len));
	freeifaddrs(all);
	return found;
}

static bool ipv6_disabled(const char *device)
{
	char path[80];
	FILE *f;
	int c;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", device);
	f = fopen(path, "re");
	c = f ? fgetc(f) : '1'; /* no file: a kernel without IPv6 */
	if (f)
		fclose(f);
	return c != '0';
}

static void check_address(struct checks *c, const struct takeover_address *a)
{
	char text[TAKEOVER_ADDRESS_STRLEN], name[TAKEOVER_ADDRESS_STRLEN + 16], remedy[120];
	struct takeover_address anywhere = *a;
	bool by_keepalived =
		takeover_config_backend(&c->config, a)->kind == TAKEOVER_BACKEND_KEEPALIVED;
	bool here = false, elsewhere = false;
	int ret = takeover_address_present(a, &here);

	if (ret == -ENODEV)
		return; /* check_device() has said so */
	anywhere.device[0] = '\0';
	if (ret == 0)
		ret = takeover_address_present(&anywhere, &elsewhere);
	takeover_address_format(a, text, sizeof(text));
	snprintf(name, sizeof(name), "address %s", text);
	if (ret < 0) {
		check_say(c, CHECK_NO, name, "see `ip address`", "cannot list addresses: %s",
			  strerror(-ret));
	} else if (a->family == AF_INET6 && ipv6_disabled(a->device)) {
		snprintf(remedy, sizeof(remedy), "sysctl net.ipv6.conf.%s.disable_ipv6=0",
			 a->device);
		check_say(c, CHECK_NO, name, remedy, "IPv6 is disabled on %s", a->device);
	} else if (!here && elsewhere && !by_keepalived) {
		check_say(c, CHECK_NO, name, "name in the configuration the device that has it",
			  "is on another device than %s", a->device);
	} else if (a->prefixlen < takeover_family_len(a->family) * 8 && !connected(a)) {
		snprintf(remedy, sizeof(remedy),
			 "give %s an address of that subnet, or correct the prefix length, "
			 "or write /%zu",
			 a->device, takeover_family_len(a->family) * 8);
		check_say(c, CHECK_WARNING, name, remedy,
			  "%s has no address in its subnet: its neighbours may not be there",
			  a->device);
	} else {
		check_say(c, CHECK_OK, name, NULL, "%s %s", here ? "here, on" : "not here now; for",
			  a->device);
	}
}

void check_addresses(struct checks *c)
{
	for (size_t i = 0; i < c->config.n_addresses; i++)
		check_address(c, &c->config.addresses[i]);
}
