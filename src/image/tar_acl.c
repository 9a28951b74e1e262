/*
 * ACLs as text, "user::rw-,user:1000:r--,mask::r--": star's form, with the number of a named one as a fourth part, and
 * that of GNU tar. The result is the kernel's attribute: version 2, then tag, permissions and id of each.
 */
#include "image/tar_internal.h"

#include "base/text.h"

#include <endian.h>
#include <string.h>

enum {
        ACL_VERSION = 2,
        ACL_USER_OBJ = 1,
        ACL_USER = 2,
        ACL_GROUP_OBJ = 4,
        ACL_GROUP = 8,
        ACL_MASK = 16,
        ACL_OTHER = 32
};
#define ACL_NO_ID   UINT32_MAX
#define ACL_MAX     1000
#define ACL_STRUCTS 8 /* bytes of one */

struct acl_item {
        uint16_t tag, perm;
        uint32_t id;
};

static int tag_of(const char *word, bool named)
{
        if (strcmp(word, "user") == 0 || strcmp(word, "u") == 0)
                return named ? ACL_USER : ACL_USER_OBJ;
        if (strcmp(word, "group") == 0 || strcmp(word, "g") == 0)
                return named ? ACL_GROUP : ACL_GROUP_OBJ;
        if (named)
                return -1;
        if (strcmp(word, "mask") == 0 || strcmp(word, "m") == 0)
                return ACL_MASK;
        return strcmp(word, "other") == 0 || strcmp(word, "o") == 0 ? ACL_OTHER : -1;
}

static int perm_of(const char *word)
{
        int perm = 0;

        for (; *word; word++)
                if (*word == 'r')
                        perm |= 4;
                else if (*word == 'w')
                        perm |= 2;
                else if (*word == 'x')
                        perm |= 1;
                else if (*word != '-')
                        return -1;
        return perm;
}

/* "user:1000:rwx" or "user:name:rwx:1000"; @text is overwritten. */
static int parse_item(char *text, struct acl_item *ret)
{
        char *tag = cor_split_next(&text, ':'), *name = cor_split_next(&text, ':'), *perm = cor_split_next(&text, ':');
        char *number = cor_split_next(&text, ':');
        int t, p;

        if (!tag || !name || !perm)
                return -1;
        t = tag_of(tag, name[0] != '\0');
        p = perm_of(perm);
        if (t < 0 || p < 0)
                return -1;
        *ret = (struct acl_item){ .tag = (uint16_t)t, .perm = (uint16_t)p, .id = ACL_NO_ID };
        if (name[0] != '\0' && cor_parse_u32(number ? number : name, &ret->id) < 0)
                return -1;
        return 0;
}

static int by_tag_and_id(const void *a, const void *b)
{
        const struct acl_item *x = a, *y = b;

        if (x->tag != y->tag)
                return x->tag < y->tag ? -1 : 1;
        return x->id < y->id ? -1 : x->id > y->id;
}

static void print_items(const struct acl_item *items, size_t n, char *out)
{
        uint32_t version = htole32(ACL_VERSION);

        memcpy(out, &version, sizeof version);
        out += sizeof version;
        for (size_t i = 0; i < n; i++, out += ACL_STRUCTS) {
                uint16_t tag = htole16(items[i].tag), perm = htole16(items[i].perm);
                uint32_t id = htole32(items[i].id);

                memcpy(out, &tag, sizeof tag);
                memcpy(out + 2, &perm, sizeof perm);
                memcpy(out + 4, &id, sizeof id);
        }
}

void tar_acl_parse(const char *text, char **ret, size_t *ret_len)
{
        auto_str copy = cor_strdup(text);
        auto_free struct acl_item *items = NULL;
        char *cursor = copy, *piece;
        size_t n = 0;

        *ret = NULL;
        *ret_len = 0;
        for (char *c = copy; *c; c++)
                if (*c == '\n')
                        *c = ',';
        while ((piece = cor_split_next(&cursor, ','))) {
                piece += strspn(piece, " \t");
                piece[strcspn(piece, "# \t")] = '\0';
                if (piece[0] == '\0')
                        continue;
                if (n >= ACL_MAX || parse_item(piece, COR_GROW(items, n)) < 0)
                        return;
        }
        if (n == 0)
                return;
        qsort(items, n, sizeof *items, by_tag_and_id);
        *ret_len = sizeof(uint32_t) + n * ACL_STRUCTS;
        *ret = cor_alloc(*ret_len);
        print_items(items, n, *ret);
}
