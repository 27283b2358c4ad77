// SPDX-License-Identifier: GPL-2.0-only
/* The network of a container of podman: the host's own, macvlan, or a bridge behind the host's
 * translation, with published ports. It keeps its addresses and MACs. */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include <linux/if_packet.h>

#include "facts_fields.h"
#include "netns.h"
#include "podman.h"

#define NETWORKS_MAX 8

/* The device of this MAC in the network namespace of @pid; its name as the container knows it. */
static int find_device(pid_t pid, const char *mac, char ret_device[IF_NAMESIZE])
{
	struct ifaddrs *all = NULL;
	int back, ret = -ENODEV;
	char path[64], text[18];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if (takeover_netns_enter_path(path, &back) < 0)
		return ret;
	getifaddrs(&all);
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		const struct sockaddr_ll *ll = (const void *)i->ifa_addr;
		const unsigned char *m;

		if (!ll || ll->sll_family != AF_PACKET)
			continue;
		m = ll->sll_addr;
		snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2],
			 m[3], m[4], m[5]);
		if (strcmp(text, mac) == 0) {
			snprintf(ret_device, IF_NAMESIZE, "%s", i->ifa_name);
			ret = 0;
		}
	}
	freeifaddrs(all);
	return takeover_netns_leave(back) ?: ret;
}

static const char *ask_driver(const char *name, json_t **ret_answer, char *error, size_t len)
{
	if (podman_ask(ret_answer, error, len, "network", "inspect", "--", name, NULL) < 0)
		return NULL;
	return podman_field(json_array_get(*ret_answer, 0), "driver");
}

static json_t *network_of(const char *name, const json_t *settings, pid_t pid, char *error,
			  size_t len)
{
	static const char *const fields[][2] = { { "IPAddress", "IPPrefixLen" },
						 { "GlobalIPv6Address", "GlobalIPv6PrefixLen" } };
	const char *mac = podman_field(settings, "MacAddress"), *driver;
	json_t *answer = NULL, *addresses = json_array(), *network = NULL;
	char device[IF_NAMESIZE], text[128];

	driver = ask_driver(name, &answer, error, len);
	if (driver && strcmp(driver, "macvlan") != 0 && strcmp(driver, "bridge") != 0)
		snprintf(error, len,
			 "its network \"%.60s\" is of the driver %.40s; it can move on the host's "
			 "network, on macvlan or on a bridge",
			 name, driver);
	else if (driver && find_device(pid, mac, device) < 0)
		snprintf(error, len, "its network \"%.60s\": no device of it is in the container",
			 name);
	else if (driver)
		network = json_pack("{s:s, s:s, s:s, s:O, s:O*}", "driver", driver, "device",
				    device, "mac", mac, "addresses", addresses, "subnets",
				    podman_get(json_array_get(answer, 0), "subnets"));
	for (size_t i = 0; network && i < 2; i++) {
		if (!podman_field(settings, fields[i][0])[0])
			continue;
		snprintf(text, sizeof(text), "%.60s/%d", podman_field(settings, fields[i][0]),
			 (int)json_integer_value(podman_get(settings, fields[i][1])));
		json_array_append_new(addresses, json_string(text));
	}
	json_decref(addresses);
	json_decref(answer);
	return network;
}

json_t *podman_networks(const json_t *inspect, pid_t pid, char *error, size_t len)
{
	const char *mode = podman_field(inspect, "HostConfig.NetworkMode"), *name;
	const json_t *all = podman_get(inspect, "NetworkSettings.Networks");
	json_t *networks = json_object(), *settings, *network;

	if (strcmp(mode, "host") == 0)
		return networks;
	if (strcmp(mode, "bridge") != 0 || json_object_size(all) == 0) {
		snprintf(error, len,
			 "its network is \"%.80s\"; it can move on the host's network, on "
			 "macvlan or on a bridge",
			 mode);
		json_decref(networks);
		return NULL;
	}
	json_object_foreach((json_t *)all, name, settings)
	{
		network = network_of(name, settings, pid, error, len);
		if (!network) {
			json_decref(networks);
			return NULL;
		}
		json_object_set_new(networks, name, network);
	}
	return networks;
}

static bool is_bridge(const json_t *network)
{
	return strcmp(podman_field(network, "driver"), "bridge") == 0;
}

static void judge_network(const char *name, const json_t *network, struct checks *checks)
{
	const char *want = podman_field(network, "driver");
	char error[300];
	json_t *answer = NULL;
	const char *driver =
		name[0] == '-' ? NULL : ask_driver(name, &answer, error, sizeof(error));

	if (!driver)
		check_say(checks, CHECK_NO, "network", "podman network create, as on the source",
			  "no network \"%.60s\" is here", name);
	else if (strcmp(driver, want) != 0)
		check_say(checks, CHECK_NO, "network", "make it as on the source",
			  "the network \"%.60s\" is of the driver %.40s, not %.40s", name, driver,
			  want);
	else if (is_bridge(network) && !json_equal(podman_get(json_array_get(answer, 0), "subnets"),
						   json_object_get(network, "subnets")))
		check_say(checks, CHECK_NO, "network",
			  "make it with the same --subnet: the container keeps its address",
			  "the network \"%.60s\" has another subnet than on the source", name);
	else
		check_say(checks, CHECK_OK, "network", NULL, "%.60s", name);
	json_decref(answer);
}

void podman_judge_networks(const json_t *spec, struct checks *checks)
{
	json_t *networks = json_object_get(spec, "networks"), *network, *list;
	const char *name, *device;
	unsigned char mac[6];
	size_t n;

	if (!json_is_object(networks) || json_object_size(networks) > NETWORKS_MAX)
		check_say(checks, CHECK_NO, "network", NULL, "expected its networks");
	json_object_foreach(networks, name, network)
	{
		json_t *text = json_object_get(network, "mac");

		if (!facts_text(network, "device", IF_NAMESIZE - 1, false, &device) ||
		    !facts_mac(text, mac) || !facts_list(network, "addresses", 0, 2, &list, &n))
			check_say(checks, CHECK_NO, "network", NULL,
				  "expected device, MAC and addresses of %.60s", name);
		else
			judge_network(name, network, checks);
	}
}

/* podman-network-create(1): without -o parent= it is the default route's; then it is not said. */
static int find_parent(const char *name, char ret_device[IF_NAMESIZE], char *error, size_t len)
{
	json_t *answer = NULL;
	const char *device;
	int ret = 0;

	if (!ask_driver(name, &answer, error, len))
		return -ENODEV;
	device = podman_field(json_array_get(answer, 0), "network_interface");
	if (!device[0] || strlen(device) >= IF_NAMESIZE) {
		snprintf(error, len,
			 "the network \"%.60s\" names no device of this host: make it with "
			 "-o parent=DEVICE",
			 name);
		ret = -ENODEV;
	} else {
		strcpy(ret_device, device);
	}
	json_decref(answer);
	return ret;
}

static bool has_address(const json_t *network, const struct takeover_address *address)
{
	char ip[TAKEOVER_ADDRESS_STRLEN];
	size_t n = strlen(takeover_address_ip(address, ip, sizeof(ip))), i;
	json_t *text;

	json_array_foreach(json_object_get(network, "addresses"), i, text) {
		const char *one = json_string_value(text) ?: "";

		if (strncmp(one, ip, n) == 0 && one[n] == '/')
			return true;
	}
	return false;
}

int podman_device(const json_t *spec, const struct takeover_address *address,
		  char ret_device[IF_NAMESIZE])
{
	json_t *network;
	const char *name;
	char error[300];

	json_object_foreach(json_object_get(spec, "networks"), name,
			    network) if (!is_bridge(network) && has_address(network, address) &&
					 name[0] != '-') return find_parent(name, ret_device, error,
									    sizeof(error));
	return -ENODEV;
}

int podman_find_parents(json_t *spec, char *error, size_t len)
{
	json_t *network;
	const char *name;
	int ret = 0;

	json_object_foreach(json_object_get(spec, "networks"), name, network)
	{
		char device[IF_NAMESIZE];

		if (is_bridge(network))
			continue;
		ret = ret ?: find_parent(name, device, error, len);
		if (ret == 0)
			json_object_set_new(network, "parent", json_string(device));
	}
	return ret;
}

size_t podman_outer(const struct container *c, struct takeover_outer *all)
{
	json_t *network;
	const char *name;
	size_t n = 0;

	json_object_foreach(json_object_get(c->spec, "networks"), name, network)
	{
		if (n == TAKEOVER_OUTER_MAX || is_bridge(network) ||
		    !facts_mac(json_object_get(network, "mac"), all[n].mac))
			continue;
		snprintf(all[n++].device, IF_NAMESIZE, "%s", podman_field(network, "parent"));
	}
	return n;
}

/* libpod, restore(): what it finds there is what the container had. */
json_t *podman_network_status(const json_t *spec)
{
	json_t *networks = json_object_get(spec, "networks"), *network, *all = json_object(), *text;
	const char *name;
	size_t i;

	json_object_foreach(networks, name, network)
	{
		json_t *subnets = json_array();

		json_array_foreach(json_object_get(network, "addresses"), i, text)
			json_array_append_new(subnets, json_pack("{s:O}", "ipnet", text));
		json_object_set_new(all, name,
				    json_pack("{s:{s:{s:o, s:O}}}", "interfaces",
					      podman_field(network, "device"), "subnets", subnets,
					      "mac_address", json_object_get(network, "mac")));
	}
	if (json_object_size(all) > 0)
		return all;
	json_decref(all);
	return NULL;
}
