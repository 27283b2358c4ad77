/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Service addresses: what they are, how they are written, and how they are
 * put on and taken off a device of this host.
 */
#ifndef TAKEOVER_ADDRESS_H
#define TAKEOVER_ADDRESS_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#define TAKEOVER_ADDRESS_STRLEN (INET6_ADDRSTRLEN + 4)

/* A service address. The bytes are in network order; @ip holds 4 (AF_INET) or
 * 16 (AF_INET6) of them. */
struct takeover_address {
	int family;
	unsigned char ip[16];
	unsigned int prefixlen;
	char device[IF_NAMESIZE];
};

/* Length in bytes of an address of @family: 4, 16, or 0 for any other family. */
size_t takeover_family_len(int family);

/* Parse "192.0.2.100/24" or "2001:db8::100/64" into @ret_address (device left
 * empty). Without "/N" the prefix is that of a host (32 or 128).
 * -EINVAL when it is no address, -ERANGE when the prefix is too long,
 * -EADDRNOTAVAIL for one that no host can own (unspecified, loopback,
 * multicast, IPv4 broadcast, IPv6 link-local). */
int takeover_address_parse(const char *text, struct takeover_address *ret_address);

/* "192.0.2.100/24". @buf has at least TAKEOVER_ADDRESS_STRLEN bytes; returns it. */
const char *takeover_address_format(const struct takeover_address *address, char *buf, size_t len);

/* "192.0.2.100", without the prefix. Same buffer rule. */
const char *takeover_address_ip(const struct takeover_address *address, char *buf, size_t len);

/* The same address, whatever its prefix and device. */
bool takeover_address_equal(const struct takeover_address *a, const struct takeover_address *b);

/* Whether the kernel takes @name for a device's (linux net/core/dev.c, dev_valid_name),
 * and it is printable ASCII. */
bool takeover_address_is_device(const char *name);

/* Add @address to its device, silently: without duplicate address detection
 * (IFA_F_NODAD, IPv6) and without a word on the wire. An IPv4 address that
 * shares its subnet becomes secondary and no route changes.
 * 0 also when it is there already; -ENODEV when the device is missing, else the
 * kernel's errno. RTM_NEWADDR, acknowledged (linux net/ipv4/devinet.c). */
int takeover_address_add(const struct takeover_address *address);

/* Delete @address from its device, whatever its prefix there, but no secondary address
 * with it: one of those may become the primary. Wait, at most @timeout_ms, for the
 * kernel's own RTM_DELADDR. 0 also when it was not there; -ETIMEDOUT when the
 * notification does not come; -ENODEV; else the kernel's errno. */
int takeover_address_delete(const struct takeover_address *address, int timeout_ms);

/* *@ret_present: whether @address is on its device (any device when the name is
 * empty) of this host now, by a fresh RTM_GETADDR dump. */
int takeover_address_present(const struct takeover_address *address, bool *ret_present);

#endif
