// SPDX-License-Identifier: GPL-2.0-only
/* libnl's errors as errno, and its sockets opened one way. */
#include <errno.h>
#include <stddef.h>
#include <time.h>

#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "netlink.h"

#define TRIES 3

int takeover_nl_errno(int nle)
{
	static const struct {
		int nle, err;
		/* clang-format off */
	} table[] = {
		{ NLE_INTR, EINTR },
		{ NLE_BAD_SOCK, EBADF },
		{ NLE_AGAIN, EAGAIN },
		{ NLE_NOMEM, ENOMEM },
		{ NLE_EXIST, EEXIST },
		{ NLE_INVAL, EINVAL },
		{ NLE_RANGE, ERANGE },
		{ NLE_MSGSIZE, EMSGSIZE },
		{ NLE_OPNOTSUPP, EOPNOTSUPP },
		{ NLE_AF_NOSUPPORT, EAFNOSUPPORT },
		{ NLE_OBJ_NOTFOUND, ENOENT },
		{ NLE_NOADDR, EADDRNOTAVAIL },
		{ NLE_MISSING_ATTR, EINVAL },
		{ NLE_BUSY, EBUSY },
		{ NLE_PERM, EPERM },
		{ NLE_NODEV, ENODEV },
		{ NLE_DUMP_INTR, EAGAIN },
		{ NLE_NOACCESS, EACCES },
	};
	/* clang-format on */

	if (nle >= 0)
		return nle;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].nle == -nle)
			return -table[i].err;
	return -EIO;
}

int takeover_nl_open(int protocol, struct nl_sock **ret_sk)
{
	struct nl_sock *sk = nl_socket_alloc();
	int ret;

	if (!sk)
		return -ENOMEM;
	ret = takeover_nl_errno(nl_connect(sk, protocol));
	if (ret < 0) {
		nl_socket_free(sk);
		return ret;
	}
	*ret_sk = sk;
	return 0;
}

bool takeover_nl_again(int ret, int *tries)
{
	return ret == -EINTR && ++*tries < TRIES;
}

long takeover_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}
