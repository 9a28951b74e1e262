#include "image/platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* What an architecture is also called, and the variant that the other name implies. */
static const struct {
        char other[12], architecture[12], variant[4];
} aliases[] = {
        { "x86_64", "amd64", "" },   { "x86-64", "amd64", "" },
        { "i386", "386", "" },       { "i486", "386", "" },
        { "i586", "386", "" },       { "i686", "386", "" },
        { "aarch64", "arm64", "" },  { "armhf", "arm", "v7" },
        { "armel", "arm", "v6" },    { "armv7l", "arm", "v7" },
        { "armv8l", "arm", "v7" },   { "armv6l", "arm", "v6" },
        { "armv5tel", "arm", "v5" }, { "loongarch64", "loong64", "" },
        { "mipsel", "mipsle", "" },
};

static const char *const known_architectures[] = {
        "386",      "amd64", "arm",     "arm64",   "loong64", "mips", "mipsle",  "mips64",
        "mips64le", "ppc64", "ppc64le", "riscv64", "s390x",   "wasm", "sparc64",
};
static const char *const known_systems[] = { "linux",   "windows", "darwin",  "freebsd", "netbsd", "openbsd",
                                             "solaris", "wasip1",  "android", "illumos", "aix",    "dragonfly" };

static bool listed(const char *const *list, size_t n, const char *word)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(list[i], word) == 0)
                        return true;
        return false;
}

static void lower(char *s)
{
        for (; *s; s++)
                if (*s >= 'A' && *s <= 'Z')
                        *s += 'a' - 'A';
}

/* One spelling for each thing, as containerd's platforms package has it. */
static void normalise(struct platform *p)
{
        lower(p->os);
        lower(p->architecture);
        lower(p->variant);
        if (strcmp(p->os, "macos") == 0)
                snprintf(p->os, sizeof p->os, "darwin");
        for (size_t i = 0; i < COR_COUNT(aliases); i++)
                if (strcmp(p->architecture, aliases[i].other) == 0) {
                        snprintf(p->architecture, sizeof p->architecture, "%s", aliases[i].architecture);
                        if (aliases[i].variant[0])
                                snprintf(p->variant, sizeof p->variant, "%s", aliases[i].variant);
                }
        if (p->variant[0] >= '0' && p->variant[0] <= '9') {
                memmove(p->variant + 1, p->variant, sizeof p->variant - 1);
                p->variant[0] = 'v';
                p->variant[sizeof p->variant - 1] = '\0';
        }
        if (strcmp(p->architecture, "arm") == 0 && !p->variant[0])
                snprintf(p->variant, sizeof p->variant, "v7");
        if ((strcmp(p->architecture, "arm64") == 0 && strcmp(p->variant, "v8") == 0) ||
            (strcmp(p->architecture, "amd64") == 0 && strcmp(p->variant, "v1") == 0) ||
            strcmp(p->architecture, "386") == 0)
                p->variant[0] = '\0';
}

struct platform platform_host(void)
{
        struct platform p = { .os = "linux" };
        struct utsname u;

        if (uname(&u) == 0)
                snprintf(p.architecture, sizeof p.architecture, "%.31s", u.machine);
        normalise(&p);
        return p;
}

static bool word_ok(const char *s)
{
        return *s && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == strlen(s) &&
               strlen(s) < sizeof((struct platform *)0)->os;
}

/* A single word is a system or an architecture, told by what is known. */
static int parse_one(const char *word, struct platform *p, struct cor_err *err)
{
        struct platform host = platform_host();

        snprintf(p->architecture, sizeof p->architecture, "%s", word);
        snprintf(p->os, sizeof p->os, "%s", word);
        normalise(p);
        if (listed(known_systems, COR_COUNT(known_systems), p->os)) {
                snprintf(p->architecture, sizeof p->architecture, "%s", host.architecture);
                snprintf(p->variant, sizeof p->variant, "%s", host.variant);
                return 0;
        }
        snprintf(p->os, sizeof p->os, "linux");
        if (listed(known_architectures, COR_COUNT(known_architectures), p->architecture))
                return 0;
        return cor_fail(
                err, COR_INVALID,
                "\"%.100s\": unknown operating system or architecture: expected OS[/ARCH[/VARIANT]], for example "
                "linux/amd64",
                word);
}

int platform_parse(const char *s, struct platform *ret, struct cor_err *err)
{
        struct platform p = { 0 };
        auto_str copy = cor_strdup(s);
        char *cursor = copy, *words[3] = { NULL };
        size_t n = 0;

        for (char *word; (word = cor_split_next(&cursor, '/')); n++) {
                if (n == 3 || !word_ok(word))
                        return cor_fail(err, COR_INVALID,
                                        "\"%.100s\" is an invalid platform: expected OS[/ARCH[/VARIANT]], for example "
                                        "linux/arm64/v8",
                                        s);
                words[n] = word;
        }
        if (n == 1) {
                if (parse_one(words[0], &p, err) < 0)
                        return -1;
        } else {
                snprintf(p.os, sizeof p.os, "%s", words[0]);
                snprintf(p.architecture, sizeof p.architecture, "%s", words[1]);
                if (n == 3)
                        snprintf(p.variant, sizeof p.variant, "%s", words[2]);
                normalise(&p);
        }
        *ret = p;
        return 0;
}

char *platform_format(const struct platform *p)
{
        return cor_printf("%s/%s%s%s", p->os, p->architecture, p->variant[0] ? "/" : "", p->variant);
}

struct platform platform_of(const struct image_platform *p)
{
        struct platform ret = { 0 };

        snprintf(ret.os, sizeof ret.os, "%s", p->os ? p->os : "");
        snprintf(ret.architecture, sizeof ret.architecture, "%s", p->architecture ? p->architecture : "");
        snprintf(ret.variant, sizeof ret.variant, "%s", p->variant ? p->variant : "");
        snprintf(ret.os_version, sizeof ret.os_version, "%s", p->os_version ? p->os_version : "");
        normalise(&ret);
        return ret;
}

/* The number of a variant "vN"; what has none counts as the first of its architecture. */
static int variant_number(const struct platform *p)
{
        int first = strcmp(p->architecture, "arm64") == 0 ? 8 : 1, n;

        if (!p->variant[0])
                return first;
        return p->variant[0] == 'v' && (n = atoi(p->variant + 1)) > 0 ? n : -1;
}

/* Ranks: below 100 the architecture itself, by how far the variant lies below; from 100 on one that it can also run. */
int platform_rank(const struct platform *want, const struct platform *have)
{
        int wanted = variant_number(want), offered = variant_number(have);

        if (strcmp(want->os, have->os) != 0)
                return -1;
        if (strcmp(want->architecture, have->architecture) == 0) {
                if (strcmp(want->variant, have->variant) == 0)
                        return 0;
                return wanted > 0 && offered > 0 && offered < wanted ? wanted - offered : -1;
        }
        if (strcmp(want->architecture, "amd64") == 0 && strcmp(have->architecture, "386") == 0)
                return 100;
        if (strcmp(want->architecture, "arm64") == 0 && strcmp(have->architecture, "arm") == 0 && offered > 0 &&
            offered <= 8)
                return 100 + 8 - offered;
        return -1;
}

int platform_require(const char *wanted, const struct image_platform *have, const char *reference, struct cor_err *err)
{
        struct platform want, has = platform_of(have);
        auto_str want_text = NULL;
        auto_str has_text = NULL;

        if (!wanted)
                return 0;
        if (platform_parse(wanted, &want, err) < 0)
                return -1;
        if (!has.os[0] || !has.architecture[0] || platform_rank(&want, &has) >= 0)
                return 0;
        want_text = platform_format(&want);
        has_text = platform_format(&has);
        return cor_fail(err, COR_NOT_FOUND,
                        "image with reference %s was found but does not match the specified platform: wanted %s, "
                        "actual: %s",
                        reference, want_text, has_text);
}

int platform_choose(const struct image_manifest *index, const struct platform *want, struct cor_err *err)
{
        auto_str name = platform_format(want);
        int best = -1, best_rank = 0;

        for (size_t i = 0; i < index->n_manifests; i++) {
                const struct image_descriptor *d = &index->manifests[i];
                int rank = 1000; /* one without a platform, if nothing else fits */

                if (d->media_type && !media_is_manifest(d->media_type))
                        continue;
                if (d->platform) {
                        struct platform have = platform_of(d->platform);

                        rank = platform_rank(want, &have);
                }
                if (rank >= 0 && (best < 0 || rank < best_rank)) {
                        best = (int)i;
                        best_rank = rank;
                }
        }
        if (best < 0)
                return cor_fail(err, COR_NOT_FOUND, "no matching manifest for %s in the manifest list entries", name);
        return best;
}
