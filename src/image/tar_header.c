/* One header block: POSIX ustar, GNU, star and v7. */
#include "image/tar_internal.h"

#include <string.h>

bool tar_block_is_zero(const uint8_t *block)
{
        static const uint8_t zero[TAR_BLOCK_BYTES];

        return memcmp(block, zero, sizeof zero) == 0;
}

/* Two's complement in 8 or 12 bytes; the first bit only says that this is it. */
static int base_256(const uint8_t *field, size_t n, int64_t *ret)
{
        uint8_t fill = field[0] & 0x40 ? 0xff : 0;
        uint64_t value = 0;

        for (size_t i = 0; i < n; i++) {
                uint8_t byte = i == 0 ? (field[0] & 0x7f) | (fill & 0x80) : field[i];

                if (n - i > 8 ? byte != fill : n - i == 8 && ((byte ^ fill) & 0x80))
                        return -1;
                value = value << 8 | byte;
        }
        if (n < 8)
                return -1;
        memcpy(ret, &value, sizeof *ret);
        return 0;
}

int tar_number(const uint8_t *field, size_t n, int64_t *ret)
{
        int64_t value = 0;
        size_t i = 0;

        if (field[0] & 0x80)
                return base_256(field, n, ret);
        while (i < n && (field[i] == ' ' || field[i] == '\0'))
                i++;
        for (; i < n && field[i] >= '0' && field[i] <= '7'; i++)
                value = value << 3 | (field[i] - '0');
        for (; i < n; i++)
                if (field[i] == '\0')
                        break;
                else if (field[i] != ' ')
                        return -1;
        *ret = value;
        return 0;
}

void tar_checksum(const uint8_t *block, int64_t *ret_unsigned, int64_t *ret_signed)
{
        int64_t u = 0, s = 0;

        for (size_t i = 0; i < TAR_BLOCK_BYTES; i++) {
                uint8_t byte = i >= AT_CHECKSUM && i < AT_CHECKSUM + 8 ? ' ' : block[i];

                u += byte;
                s += (int8_t)byte;
        }
        *ret_unsigned = u;
        *ret_signed = s;
}

static enum tar_dialect dialect_of(const uint8_t *block)
{
        if (memcmp(block + AT_MAGIC, "ustar  ", 8) == 0)
                return DIALECT_GNU;
        if (memcmp(block + AT_MAGIC, "ustar", 6) != 0)
                return DIALECT_V7;
        return memcmp(block + AT_STAR_TRAILER, "tar", 4) == 0 ? DIALECT_STAR : DIALECT_USTAR;
}

static size_t copy_field(char *to, const uint8_t *field, size_t n)
{
        size_t len = strnlen((const char *)field, n);

        memcpy(to, field, len);
        to[len] = '\0';
        return len;
}

static void name_of(const uint8_t *block, struct tar_header *h)
{
        size_t room = h->dialect == DIALECT_USTAR ? PREFIX_BYTES : h->dialect == DIALECT_STAR ? STAR_PREFIX_BYTES : 0;
        size_t n = copy_field(h->name, block + AT_PREFIX, room);

        if (n > 0)
                h->name[n++] = '/';
        copy_field(h->name + n, block + AT_NAME, NAME_BYTES);
}

struct number {
        size_t at, bytes, to;
        const char *what;
};

static int numbers(const uint8_t *block, const struct number *fields, size_t n, struct tar_header *h,
                   struct cor_err *err)
{
        for (size_t i = 0; i < n; i++)
                if (tar_number(block + fields[i].at, fields[i].bytes, (int64_t *)(void *)((char *)h + fields[i].to)) <
                    0)
                        return cor_fail(err, COR_INVALID, "the header's %s is not a number", fields[i].what);
        return 0;
}

/* GNU's own times are there if anything is in their fields, and a damaged one is none. */
static void gnu_fields(const uint8_t *block, struct tar_header *h)
{
        h->has_atime = block[AT_GNU_ATIME] != '\0' && tar_number(block + AT_GNU_ATIME, 12, &h->atime) == 0;
        h->has_ctime = block[AT_GNU_CTIME] != '\0' && tar_number(block + AT_GNU_CTIME, 12, &h->ctime) == 0;
        if (tar_number(block + AT_GNU_REALSIZE, 12, &h->real_size) < 0)
                h->real_size = -1;
}

int tar_header_parse(const uint8_t *block, struct tar_header *h, struct cor_err *err)
{
        static const struct number all[] = {
                { AT_MODE, 8, offsetof(struct tar_header, mode), "mode" },
                { AT_UID, 8, offsetof(struct tar_header, uid), "user id" },
                { AT_GID, 8, offsetof(struct tar_header, gid), "group id" },
                { AT_SIZE, 12, offsetof(struct tar_header, size), "size" },
                { AT_MTIME, 12, offsetof(struct tar_header, mtime), "time" },
        };
        static const struct number device[] = {
                { AT_MAJOR, 8, offsetof(struct tar_header, major), "major device number" },
                { AT_MINOR, 8, offsetof(struct tar_header, minor), "minor device number" },
        };
        int64_t sum, as_unsigned, as_signed;

        memset(h, 0, sizeof *h);
        tar_checksum(block, &as_unsigned, &as_signed);
        if (tar_number(block + AT_CHECKSUM, 8, &sum) < 0 || (sum != as_unsigned && sum != as_signed))
                return cor_fail(err, COR_INVALID, "this is no tar header (its checksum is wrong)");
        h->dialect = dialect_of(block);
        h->type = block[AT_TYPE];
        name_of(block, h);
        copy_field(h->link, block + AT_LINK, NAME_BYTES);
        if (numbers(block, all, COR_COUNT(all), h, err) < 0)
                return -1;
        if (h->dialect == DIALECT_V7)
                return 0;
        copy_field(h->uname, block + AT_UNAME, OWNER_BYTES);
        copy_field(h->gname, block + AT_GNAME, OWNER_BYTES);
        if (h->dialect == DIALECT_GNU)
                gnu_fields(block, h);
        return h->type == '3' || h->type == '4' ? numbers(block, device, COR_COUNT(device), h, err) : 0;
}
