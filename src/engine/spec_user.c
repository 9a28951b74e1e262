#include "engine/spec_user.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 8 << 20, GIDS_MAX = 65536, ID_MAX = INT32_MAX, NOBODY = 65534 };

void spec_user_done(struct spec_user *u)
{
        free(u->gids);
        *u = (struct spec_user){ 0 };
}

static void add_gid(struct spec_user *u, uint32_t gid)
{
        if (u->n_gids < GIDS_MAX) /* setgroups(2) takes no more */
                *COR_GROW(u->gids, u->n_gids) = gid;
}

/* A line of passwd or group: the first @n fields, in place; further colons belong to the last one. */
static bool split_line(char *line, char **field, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                field[i] = cor_split_next(&line, ':');
                if (!field[i])
                        return false;
        }
        return true;
}

static bool is_id(const char *text, uint32_t id)
{
        uint32_t value;

        return cor_parse_u32(text, &value) == 0 && value == id && (text[0] != '0' || text[1] == '\0');
}

/* name:password:UID:GID:… - the first line that means @who ("" is user 0); *ret_name is its name */
static bool find_user(const char *passwd, const char *who, struct spec_user *u, char **ret_name)
{
        auto_str copy = cor_strdup(passwd);
        char *cursor = copy, *line, *field[4];
        uint32_t uid, gid;

        while (copy && (line = cor_split_next(&cursor, '\n')) != NULL) {
                if (!split_line(line, field, 4) || cor_parse_u32(field[2], &uid) < 0 ||
                    cor_parse_u32(field[3], &gid) < 0)
                        continue;
                if (*who ? strcmp(field[0], who) != 0 && !is_id(who, uid) : uid != 0)
                        continue;
                u->uid = uid;
                u->gid = gid;
                *ret_name = cor_strdup(field[0]);
                return true;
        }
        return false;
}

static int parse_id(const char *text, const char *what, const char *file, uint32_t *ret, struct cor_err *err)
{
        uint32_t id;

        if (text[strspn(text, "0123456789")] != '\0')
                return cor_fail(err, COR_INVALID, "unable to find %s %s: no matching entries in %s file", what, text,
                                file);
        if (cor_parse_u32(text, &id) < 0 || id > ID_MAX)
                return cor_fail(err, COR_INVALID, "uids and gids must be in range 0-%d", (int)ID_MAX);
        *ret = id;
        return 0;
}

static bool is_member(char *members, const char *name)
{
        char *member;

        while ((member = cor_split_next(&members, ',')) != NULL)
                if (strcmp(member, name) == 0)
                        return true;
        return false;
}

/* name:password:GID:member,… - all groups that @name is a member of */
static void add_memberships(const char *group, const char *name, struct spec_user *u)
{
        auto_str copy = cor_strdup(group);
        char *cursor = copy, *line, *field[4];
        uint32_t gid;

        while (copy && (line = cor_split_next(&cursor, '\n')) != NULL)
                if (split_line(line, field, 4) && cor_parse_u32(field[2], &gid) == 0 && is_member(field[3], name))
                        add_gid(u, gid);
}

static int find_group(const char *group, const char *who, uint32_t *ret, struct cor_err *err)
{
        auto_str copy = cor_strdup(group);
        char *cursor = copy, *line, *field[3];
        uint32_t gid;

        while (copy && (line = cor_split_next(&cursor, '\n')) != NULL) {
                if (!split_line(line, field, 3) || cor_parse_u32(field[2], &gid) < 0 ||
                    (strcmp(field[0], who) != 0 && !is_id(who, gid)))
                        continue;
                *ret = gid;
                return 0;
        }
        return parse_id(who, "group", "group", ret, err);
}

static int find(const char *passwd, const char *group, char *who, struct spec_user *u, struct cor_err *err)
{
        auto_str name = NULL;
        char *group_name = strchr(who, ':');

        if (group_name)
                *group_name++ = '\0';
        if (!find_user(passwd, who, u, &name) && *who && parse_id(who, "user", "passwd", &u->uid, err) < 0)
                return -1;
        if (group_name && *group_name) {
                if (find_group(group, group_name, &u->gid, err) < 0)
                        return -1;
                add_gid(u, u->gid);
                return 0;
        }
        add_gid(u, u->gid);
        if (name) /* supplementary groups are for those who name no group */
                add_memberships(group, name, u);
        return 0;
}

int spec_user_find_in(const char *passwd, const char *group, const char *text, const char *const *groups,
                      size_t n_groups, struct spec_user *ret, struct cor_err *err)
{
        auto_spec_user u = { 0 };
        auto_str who = cor_strdup(text ? text : "");

        if (find(passwd, group, who, &u, err) < 0)
                return -1;
        for (size_t i = 0; i < n_groups; i++) {
                uint32_t gid;

                if (find_group(group, groups[i], &gid, err) < 0)
                        return -1;
                add_gid(&u, gid);
        }
        *ret = u;
        u = (struct spec_user){ 0 };
        return 0;
}

/* *ret stays NULL if there is no such file. */
static int read_below(int root, const char *path, char **ret, struct cor_err *err)
{
        auto_fd fd = -1;
        struct stat st;
        size_t n;

        if (root < 0)
                return 0;
        /* without O_NONBLOCK a fifo of that name would hold us up for ever */
        fd = cor_root_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, err);
        if (fd < 0)
                return err->sys == ENOENT || err->sys == ENOTDIR || err->sys == ELOOP ? 0 : -1;
        if (fstat(fd, &st) < 0)
                return cor_fail_errno(err, "%s of the container", path);
        if (!S_ISREG(st.st_mode))
                return cor_fail(err, COR_INVALID, "%s of the container is not a regular file", path);
        return cor_read_fd(fd, path, FILE_MAX_BYTES, ret, &n, err);
}

int spec_user_find(int root, const char *text, const char *const *groups, size_t n_groups, struct spec_user *ret,
                   struct cor_err *err)
{
        auto_str passwd = NULL;
        auto_str group = NULL;
        struct cor_err own = { 0 };

        if (read_below(root, "/etc/passwd", &passwd, &own) < 0 || read_below(root, "/etc/group", &group, &own) < 0) {
                if (err)
                        *err = own;
                return -1;
        }
        return spec_user_find_in(passwd, group, text, groups, n_groups, ret, err);
}

static uint32_t higher(const char *text, uint32_t than)
{
        uint32_t id;

        return cor_parse_u32(text, &id) == 0 && id > than && id < NOBODY ? id : than;
}

uint32_t spec_user_highest(int root)
{
        static const struct {
                const char *path;
                size_t fields;
        } files[] = { { "/etc/passwd", 4 }, { "/etc/group", 3 } };
        uint32_t top = 0;

        for (size_t i = 0; i < COR_COUNT(files); i++) {
                struct cor_err ignored = { 0 };
                auto_str text = NULL;
                char *cursor, *line, *field[4];

                if (read_below(root, files[i].path, &text, &ignored) < 0 || !text)
                        continue;
                for (cursor = text; (line = cor_split_next(&cursor, '\n'));) {
                        if (!split_line(line, field, files[i].fields))
                                continue;
                        for (size_t k = 2; k < files[i].fields; k++)
                                top = higher(field[k], top);
                }
        }
        return top;
}
