// SPDX-License-Identifier: GPL-2.0-only
/* Messages of a source: each is its type, how many pages follow its payload, and the length of
 * the payload, in a byte each; then the payload. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "images_receive.h"

#define LIMIT (96 * 1024)

static int parent = -1, dirfd_to = -1;

static char path[] = "/dev/shm/fuzz-images.XXXXXX";

static void remove_dirs(void)
{
	unlinkat(parent, "to", AT_REMOVEDIR);
	rmdir(path);
}

static void make_dirs(void)
{
	assert(mkdtemp(path));
	parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(parent >= 0 && mkdirat(parent, "to", 0700) == 0);
	dirfd_to = openat(parent, "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(dirfd_to >= 0);
	atexit(remove_dirs);
}

static DIR *list(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);

	assert(dir);
	return dir;
}

/* What files have, which go, and the directories that another tree's lie in. */
static uint64_t take_away(int from, bool deeper, size_t *n)
{
	DIR *dir = list(from);
	struct dirent *entry;
	uint64_t bytes = 0;

	while ((entry = readdir(dir))) {
		struct stat st;

		if (entry->d_name[0] == '.' && entry->d_type == DT_DIR)
			continue;
		if (entry->d_type == DT_DIR) {
			int number = atoi(entry->d_name);
			int fd = openat(from, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

			assert(deeper && number >= 2 && number <= IMAGES_DIRS_MAX && fd >= 0);
			bytes += take_away(fd, false, n);
			close(fd);
			assert(unlinkat(from, entry->d_name, AT_REMOVEDIR) == 0);
			continue;
		}
		assert(images_name_is_plain(entry->d_name, strlen(entry->d_name)));
		assert(fstatat(from, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0);
		assert(S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0600);
		assert((uint64_t)st.st_blocks * 512 <= LIMIT);
		bytes += st.st_size;
		++*n;
		assert(unlinkat(from, entry->d_name, 0) == 0);
	}
	closedir(dir);
	return bytes;
}

static void nothing_beside(void)
{
	DIR *dir = list(parent);
	size_t n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	assert(n == 3);
}

static int take(struct images_receiver *r, const uint8_t **data, size_t *size)
{
	static uint8_t payload[256 + 4 * 65536];
	size_t page = sysconf(_SC_PAGESIZE), more = (*data)[1] % 4 * page, len = (*data)[2];
	struct channel_message m = { .type = (*data)[0] % 32, .payload = payload };

	*data += 3;
	*size -= 3;
	if (len > *size)
		len = *size;
	memcpy(payload, *data, len);
	memset(payload + len, 'p', more);
	*data += len;
	*size -= len;
	m.len = len + more;
	return images_receive_take(r, &m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct images_begin b = { htonl(IMAGES_VERSION), htonl(sysconf(_SC_PAGESIZE)) };
	struct channel_message first = { IMAGES_BEGIN, (void *)&b, sizeof(b), NULL };
	struct images_receiver *r;
	uint64_t bytes, said;
	size_t files = 0;
	int ret = 0;

	if (parent < 0)
		make_dirs();
	assert(images_receive_open(dirfd_to, LIMIT, &r) == 0);
	if (size > 0 && data[0] % 32 != IMAGES_BEGIN)
		ret = images_receive_take(r, &first);
	while (size >= 3 && ret == 0)
		ret = take(r, &data, &size);
	assert(ret == 0 || ret == 1 || ret == -EPROTO || ret == -EFBIG || ret == -EEXIST ||
	       ret == -ENOTDIR);
	if (ret < 0)
		fuzz_check_error(images_receive_error(r), 200, "images");
	said = images_receive_bytes(r);
	assert(said + images_receive_stored(r) <= LIMIT);
	images_receive_close(r);
	bytes = take_away(dirfd_to, true, &files);
	assert(files <= LIMIT / 4096);
	assert(ret != 1 || bytes == said);
	nothing_beside();
	return 0;
}
