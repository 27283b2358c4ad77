/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames that tell a segment who owns an address, and that ask it. Builders do
 * no I/O; the wire is a packet socket on one device.
 */
#ifndef TAKEOVER_ANNOUNCE_H
#define TAKEOVER_ANNOUNCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "address.h"

#define TAKEOVER_MAC_LEN      6
#define TAKEOVER_ANNOUNCE_MAX 128 /* bytes; no frame built here is longer */

/* When to announce, in ms after the claim; the last entry is followed by -1. */
extern const int takeover_announce_schedule[];

/* A gratuitous announcement of @address at @mac as a whole Ethernet frame.
 * IPv4, @to NULL: ARP request, broadcast, sender = target (RFC 5227 section 3).
 * IPv4, @to a MAC: ARP reply to it, target MAC = @mac as Linux demands
 * (linux net/ipv4/arp.c, arp_process).
 * IPv6: unsolicited neighbour advertisement with Override and the target
 * link-layer option, to ff02::1 or to @to (RFC 4861 section 7.2.6).
 * -EMSGSIZE when @len is too small. */
int takeover_announce_build(unsigned char *buf, size_t len, const struct takeover_address *address,
			    const unsigned char *mac, const unsigned char *to, size_t *ret_len);

/* A question whether anyone owns @address: ARP probe with sender 0.0.0.0
 * (RFC 5227 section 2.1.1), or neighbour solicitation from :: to the
 * solicited-node group (RFC 4862 section 5.4.2). */
int takeover_probe_build(unsigned char *buf, size_t len, const struct takeover_address *address,
			 const unsigned char *mac, size_t *ret_len);

/* Whether @frame (@len bytes, untrusted) says that a MAC owns @address: an ARP
 * packet with it as sender, a neighbour advertisement for it. *@ret_mac is that
 * MAC, from inside the packet; one that no host can have is not believed
 * (RFC 1812 section 3.3.2). */
bool takeover_announce_parse(const unsigned char *frame, size_t len,
			     const struct takeover_address *address, unsigned char *ret_mac);

/* One packet socket on a device. */
struct takeover_wire;

/* -ENODEV; -EOPNOTSUPP when the device is not an Ethernet one; else errno.
 * Hears ARP and IPv6 neighbour discovery. Close with takeover_wire_close(). */
int takeover_wire_open(const char *device, struct takeover_wire **ret_wire);
int takeover_wire_fd(const struct takeover_wire *wire);
const unsigned char *takeover_wire_mac(const struct takeover_wire *wire);

/* Send one whole frame. */
int takeover_wire_send(struct takeover_wire *wire, const unsigned char *frame, size_t len);

/* Send the IP packet @packet to @mac; the relay. */
int takeover_wire_relay(struct takeover_wire *wire, const unsigned char *mac, const void *packet,
			size_t len);

/* Next frame of ARP or neighbour discovery that another host sent, without
 * waiting. -EAGAIN when there is none. */
ssize_t takeover_wire_receive(struct takeover_wire *wire, unsigned char *buf, size_t len);

void takeover_wire_close(struct takeover_wire *wire);

/* Announce @address once, by broadcast, and by unicast to each of the @n MACs. */
int takeover_announce(struct takeover_wire *wire, const struct takeover_address *address,
		      const unsigned char (*macs)[TAKEOVER_MAC_LEN], size_t n);

#endif
