#include "linux/mount_option.h"

#include <string.h>

enum option_kind {
        NOTHING, /* accepted, means nothing */
        SET,     /* value is set, or cleared for CLEAR: MOUNT_ATTR_ bits */
        CLEAR,
        ATIME, /* value replaces the atime mode */
        SET_SB,
        CLEAR_SB,
        PROPAGATION,
        FLAG, /* value is the offset of a bool */
};

struct option {
        const char *word;
        enum option_kind kind;
        bool recursive;
        uint64_t value;
};

#define FLAG_AT(member) offsetof(struct mount_options, member)

/* In alphabetical order: mount_option_next() shows them, find() bisects. */
static const struct option options[] = {
        { "async", CLEAR_SB, false, MS_SYNCHRONOUS },
        { "atime", ATIME, false, MOUNT_ATTR_RELATIME },
        { "bind", FLAG, false, FLAG_AT(bind) },
        { "copy-symlink", FLAG, false, FLAG_AT(copy_symlink) },
        { "defaults", NOTHING, false, 0 },
        { "dest-nofollow", FLAG, false, FLAG_AT(dest_nofollow) },
        { "dev", CLEAR, false, MOUNT_ATTR_NODEV },
        { "diratime", CLEAR, false, MOUNT_ATTR_NODIRATIME },
        { "dirsync", SET_SB, false, MS_DIRSYNC },
        { "exec", CLEAR, false, MOUNT_ATTR_NOEXEC },
        { "idmap", FLAG, false, FLAG_AT(idmap) },
        { "iversion", SET_SB, false, MS_I_VERSION },
        { "lazytime", SET_SB, false, 1 << 25 },
        { "loud", CLEAR_SB, false, MS_SILENT },
        { "mand", SET_SB, false, MS_MANDLOCK },
        { "noatime", ATIME, false, MOUNT_ATTR_NOATIME },
        { "nodev", SET, false, MOUNT_ATTR_NODEV },
        { "nodiratime", SET, false, MOUNT_ATTR_NODIRATIME },
        { "noexec", SET, false, MOUNT_ATTR_NOEXEC },
        { "noiversion", CLEAR_SB, false, MS_I_VERSION },
        { "nolazytime", CLEAR_SB, false, 1 << 25 },
        { "nomand", CLEAR_SB, false, MS_MANDLOCK },
        { "norelatime", ATIME, false, MOUNT_ATTR_STRICTATIME },
        { "nostrictatime", ATIME, false, MOUNT_ATTR_RELATIME },
        { "nosuid", SET, false, MOUNT_ATTR_NOSUID },
        { "nosymfollow", SET, false, MOUNT_ATTR_NOSYMFOLLOW },
        { "private", PROPAGATION, false, MS_PRIVATE },
        { "ratime", ATIME, true, MOUNT_ATTR_RELATIME },
        { "rbind", FLAG, false, FLAG_AT(rbind) },
        { "rdev", CLEAR, true, MOUNT_ATTR_NODEV },
        { "rdiratime", CLEAR, true, MOUNT_ATTR_NODIRATIME },
        { "relatime", ATIME, false, MOUNT_ATTR_RELATIME },
        { "remount", FLAG, false, FLAG_AT(remount) },
        { "rexec", CLEAR, true, MOUNT_ATTR_NOEXEC },
        { "ridmap", FLAG, false, FLAG_AT(ridmap) },
        { "rnoatime", ATIME, true, MOUNT_ATTR_NOATIME },
        { "rnodev", SET, true, MOUNT_ATTR_NODEV },
        { "rnodiratime", SET, true, MOUNT_ATTR_NODIRATIME },
        { "rnoexec", SET, true, MOUNT_ATTR_NOEXEC },
        { "rnorelatime", ATIME, true, MOUNT_ATTR_STRICTATIME },
        { "rnostrictatime", ATIME, true, MOUNT_ATTR_RELATIME },
        { "rnosuid", SET, true, MOUNT_ATTR_NOSUID },
        { "rnosymfollow", SET, true, MOUNT_ATTR_NOSYMFOLLOW },
        { "ro", SET, false, MOUNT_ATTR_RDONLY },
        { "rprivate", PROPAGATION, true, MS_PRIVATE },
        { "rrelatime", ATIME, true, MOUNT_ATTR_RELATIME },
        { "rro", SET, true, MOUNT_ATTR_RDONLY },
        { "rrw", CLEAR, true, MOUNT_ATTR_RDONLY },
        { "rshared", PROPAGATION, true, MS_SHARED },
        { "rslave", PROPAGATION, true, MS_SLAVE },
        { "rstrictatime", ATIME, true, MOUNT_ATTR_STRICTATIME },
        { "rsuid", CLEAR, true, MOUNT_ATTR_NOSUID },
        { "rsymfollow", CLEAR, true, MOUNT_ATTR_NOSYMFOLLOW },
        { "runbindable", PROPAGATION, true, MS_UNBINDABLE },
        { "rw", CLEAR, false, MOUNT_ATTR_RDONLY },
        { "shared", PROPAGATION, false, MS_SHARED },
        { "silent", SET_SB, false, MS_SILENT },
        { "slave", PROPAGATION, false, MS_SLAVE },
        { "src-nofollow", FLAG, false, FLAG_AT(src_nofollow) },
        { "strictatime", ATIME, false, MOUNT_ATTR_STRICTATIME },
        { "suid", CLEAR, false, MOUNT_ATTR_NOSUID },
        { "symfollow", CLEAR, false, MOUNT_ATTR_NOSYMFOLLOW },
        { "sync", SET_SB, false, MS_SYNCHRONOUS },
        { "tmpcopyup", FLAG, false, FLAG_AT(tmpcopyup) },
        { "unbindable", PROPAGATION, false, MS_UNBINDABLE },
};

static int compare(const void *word, const void *option)
{
        return strcmp(word, ((const struct option *)option)->word);
}

static const struct option *find(const char *word)
{
        return bsearch(word, options, COR_COUNT(options), sizeof options[0], compare);
}

const char *mount_option_next(size_t *i)
{
        while (*i < COR_COUNT(options) && options[*i].kind == NOTHING)
                ++*i;
        return *i < COR_COUNT(options) ? options[(*i)++].word : NULL;
}

unsigned long mount_propagation_of(const char *word)
{
        const struct option *o = find(word);

        return o && o->kind == PROPAGATION ? (unsigned long)o->value | (o->recursive ? MS_REC : 0) : 0;
}

static void apply(const struct option *opt, struct mount_options *o)
{
        struct mount_attrs *a = opt->recursive ? &o->recursive : &o->attrs;

        switch (opt->kind) {
        case NOTHING:
                break;
        case SET:
                a->set |= opt->value;
                a->clear &= ~opt->value;
                break;
        case CLEAR:
                a->clear |= opt->value;
                a->set &= ~opt->value;
                break;
        case ATIME: /* a field of its own within the bits: cleared and set together */
                a->clear |= MOUNT_ATTR__ATIME;
                a->set = (a->set & ~(uint64_t)MOUNT_ATTR__ATIME) | opt->value;
                break;
        case SET_SB:
                o->sb_flags |= (unsigned long)opt->value;
                break;
        case CLEAR_SB:
                o->sb_flags &= ~(unsigned long)opt->value;
                break;
        case PROPAGATION:
                a->propagation = (unsigned long)opt->value;
                break;
        case FLAG:
                *(bool *)((char *)o + opt->value) = true;
                break;
        }
}

void mount_options_parse(const char *const *words, size_t n, struct mount_options *ret)
{
        auto_text data = COR_TEXT_INIT;

        memset(ret, 0, sizeof *ret);
        for (size_t i = 0; i < n; i++) {
                const struct option *opt = find(words[i]);

                if (opt) {
                        apply(opt, ret);
                } else if (cor_starts_with(words[i], "idmap=") || cor_starts_with(words[i], "ridmap=")) {
                        ret->idmap = true;
                        ret->ridmap = words[i][0] == 'r';
                        ret->idmap_maps = strchr(words[i], '=') + 1;
                } else if (cor_starts_with(words[i], "x-beneath=")) {
                        ret->beneath = strchr(words[i], '=') + 1;
                } else {
                        if (data.len)
                                cor_text_add_c(&data, ',');
                        cor_text_add(&data, words[i]);
                }
        }
        if (data.len)
                ret->data = cor_text_take(&data);
}

void mount_options_done(struct mount_options *o)
{
        free(o->data);
        o->data = NULL;
}
