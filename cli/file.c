// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

#define NOTES_MAX 65536

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFCHR:
		return "character device";
	case S_IFBLK:
		return "block device";
	case S_IFIFO:
		return "fifo";
	default:
		return "other";
	}
}

/* The build id among the notes @data; whether there is one. */
static bool find_build_id(Elf_Data *data, char *ret_id)
{
	size_t offset = 0, name, desc;
	GElf_Nhdr note;

	while ((offset = gelf_getnote(data, offset, &note, &name, &desc)) > 0) {
		const unsigned char *id = (const unsigned char *)data->d_buf + desc;

		if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != sizeof("GNU") ||
		    memcmp((const char *)data->d_buf + name, "GNU", sizeof("GNU")) != 0 ||
		    note.n_descsz == 0 || note.n_descsz > (FILE_BUILD_ID_STRLEN - 1) / 2)
			continue;
		for (size_t i = 0; i < note.n_descsz; i++)
			sprintf(ret_id + 2 * i, "%02x", id[i]);
		return true;
	}
	return false;
}

static void read_build_id(int fd, char *ret_id)
{
	size_t n = 0;
	GElf_Phdr ph;
	Elf *elf;

	elf_version(EV_CURRENT);
	/* Not mapped: a file that becomes shorter would kill us. */
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF || elf_getphdrnum(elf, &n) < 0)
		n = 0;
	for (size_t i = 0; i < n && gelf_getphdr(elf, i, &ph); i++) {
		Elf_Data *data;

		if (ph.p_type != PT_NOTE || ph.p_filesz > NOTES_MAX)
			continue;
		data = elf_getdata_rawchunk(elf, ph.p_offset, ph.p_filesz,
					    ph.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		if (data && find_build_id(data, ret_id))
			break;
	}
	elf_end(elf);
}

int file_look(const char *path, struct file *ret_file)
{
	struct file file = { 0 };
	struct stat st;
	int fd;

	if (stat(path, &st) < 0)
		return -errno;
	file.type = type_name(st.st_mode);
	if (S_ISREG(st.st_mode)) {
		file.size = st.st_size;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd < 0)
			return -errno;
		read_build_id(fd, file.build_id);
		close(fd);
	}
	*ret_file = file;
	return 0;
}
