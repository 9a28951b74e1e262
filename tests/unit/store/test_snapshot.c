/* Snapshots are mounts, and so are tried in children with namespaces of their own; most of it needs root. */
#include "../linux/child.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "linux/mount.h"
#include "linux/overlay.h"
#include "store/container.h"
#include "store/layer.h"
#include "store/snapshot.h"
#include <linux/capability.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "opened.h"

static void write_text(int dirfd, const char *name, const char *text)
{
        int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        CHECK(fd >= 0);
        CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
        close(fd);
}

static bool has_text(int dirfd, const char *name, const char *text)
{
        int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
        char buf[64];
        ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf);

        cor_fd_close(&fd);
        return n == (ssize_t)strlen(text) && memcmp(buf, text, (size_t)n) == 0;
}

static bool is_there(int dirfd, const char *name)
{
        return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Layer number @n: the file "all" says who wrote it, "only-N" is its own */
static struct digest make_layer(struct store *s, unsigned n)
{
        auto_str text = cor_printf("sha256:%064x", n + 1);
        auto_str own = cor_printf("only-%u", n);
        auto_str number = NULL;
        auto_layer_ingest i = NULL;
        struct digest d;

        number = cor_printf("%u", n);
        CHECK_OK(digest_parse(text, &d, &err));
        CHECK_OK(layer_ingest_begin(s, &i, &err));
        write_text(layer_ingest_fd(i), "all", number);
        write_text(layer_ingest_fd(i), own, number);
        CHECK_OK(layer_ingest_finish(i, 1, &err));
        CHECK_OK(layer_ingest_commit(i, &d, &err));
        return d;
}

/* What each case starts with, in the child: a store with layers, and the folder of a container. */
struct ground {
        struct store *s;
        struct digest layers[400];
        size_t n_layers;
        int folder;
        int upper;
};

static struct store *open_here(struct scratch *scratch)
{
        auto_str path = cor_printf("%s/store", scratch->path);
        struct store *s = NULL;

        CHECK_OK(store_open(path, STORE_CREATE | STORE_DATABASE, &s, &err));
        return s;
}

static struct ground lay_ground(struct scratch *scratch, size_t n_layers)
{
        struct container_row r = { .id = cor_printf("%064d", 7), .name = cor_strdup("web"), .auto_remove = true };
        struct ground g = { .s = open_here(scratch), .n_layers = n_layers };

        CHECK_OK(digest_parse("sha256:0000000000000000000000000000000000000000000000000000000000000000", &r.image_id,
                              &err));
        for (unsigned i = 0; i < n_layers; i++)
                g.layers[i] = make_layer(g.s, i);
        CHECK_OK(container_row_add(g.s, &r, &err));
        g.folder = container_folder_open(g.s, r.id, NULL);
        CHECK(g.folder >= 0);
        CHECK_OK(snapshot_make(g.s, g.folder, g.layers, g.n_layers, 0, &err));
        CHECK_OK(snapshot_make(g.s, g.folder, g.layers, g.n_layers, 0, &err)); /* again is no error */
        g.upper = snapshot_upper(g.folder, NULL);
        CHECK(g.upper >= 0);
        container_row_done(&r);
        return g;
}

/* The same in another mount namespace, where descriptors have to be opened anew */
static struct ground lay_ground_again(struct scratch *scratch, const struct ground *from)
{
        auto_str id = cor_printf("%064d", 7);
        struct ground g = *from;

        g.s = open_here(scratch);
        CHECK_OK(g.folder = container_folder_open(g.s, id, &err));
        CHECK_OK(g.upper = snapshot_upper(g.folder, &err));
        return g;
}

static struct snapshot snapshot_of(const struct ground *g)
{
        return (struct snapshot){ .layers = g->layers, .n_layers = g->n_layers, .folder = g->folder, .userns = -1 };
}

static int mount_it(const struct ground *g, const struct snapshot *x)
{
        struct cor_err err = { 0 };
        int fd = snapshot_mount(g->s, x, &err);

        if (fd < 0)
                dprintf(2, "# %s\n", err.msg);
        CHECK(fd >= 0);
        return fd;
}

static void check_layers(int root, size_t n_layers)
{
        auto_str last = cor_printf("%zu", n_layers - 1);
        auto_str own = cor_printf("only-%zu", n_layers - 1);

        CHECK(has_text(root, "all", last));
        CHECK(has_text(root, own, last));
        CHECK(has_text(root, "only-0", "0"));
}

static void write_and_look(void *state)
{
        struct ground g = lay_ground(state, 3);
        struct snapshot x = snapshot_of(&g);
        auto_fd root = mount_it(&g, &x);
        auto_fd again = -1, mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
        char table[32768];
        ssize_t n;

        check_layers(root, 3);
        write_text(root, "new", "text");
        write_text(root, "all", "changed");
        CHECK(unlinkat(root, "only-1", 0) == 0);
        CHECK(has_text(g.upper, "new", "text"));
        CHECK(has_text(g.upper, "all", "changed"));
        n = read(mounts, table, sizeof table - 1); /* nobody sees it */
        CHECK(n > 0);
        table[n] = '\0';
        CHECK(!strstr(table, ((struct scratch *)state)->path));
        cor_fd_close(&root);
        again = mount_it(&g, &x);
        CHECK(has_text(again, "all", "changed"));
        CHECK(!is_there(again, "only-1"));
}

static void it_is_a_writable_layer_on_layers(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(write_and_look, *state), 0);
}

static void hundreds(void *state)
{
        struct ground g = lay_ground(state, 400);
        size_t sizes[] = { 1, 2, 60, 130, 400 };

        for (size_t i = 0; i < COR_COUNT(sizes); i++) {
                struct snapshot x = snapshot_of(&g);
                struct overlay o = OVERLAY_INIT;
                auto_fd root = -1, legacy = -1, alone = -1, work = openat(g.folder, "work", O_PATH | O_CLOEXEC);
                int lower[400];

                x.n_layers = sizes[i];
                root = mount_it(&g, &x);
                check_layers(root, sizes[i]);
                cor_fd_close(&root);
                for (size_t n = 0; n < sizes[i]; n++)
                        CHECK_OK(lower[n] = layer_open(g.s, &g.layers[sizes[i] - 1 - n], &err));
                o.lower = lower;
                o.n_lower = sizes[i];
                o.upper = g.upper;
                o.work = work;
                CHECK_OK(legacy = overlay_mount_legacy(&o, &err));
                check_layers(legacy, sizes[i]);
                cor_fd_close(&legacy);
                CHECK_OK(alone = overlay_mount_alone(&o, false, &err));
                check_layers(alone, sizes[i]);
                cor_fd_close(&alone);
                CHECK_OK(alone = overlay_mount_alone(&o, true, &err));
                check_layers(alone, sizes[i]);
                for (size_t n = 0; n < sizes[i]; n++)
                        close(lower[n]);
        }
        {
                struct digest many[501] = { 0 };
                struct snapshot x = snapshot_of(&g);
                struct cor_err err = { 0 };

                x.layers = many;
                x.n_layers = COR_COUNT(many);
                CHECK(snapshot_mount(g.s, &x, &err) < 0);
                CHECK(err.kind == COR_INVALID);
        }
}

static void hundreds_of_layers(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(hundreds, *state), 0);
}

static void look_only(void *state)
{
        struct ground g = lay_ground(state, 3);

        for (size_t n = 0; n <= 3; n++) {
                struct snapshot x = snapshot_of(&g);
                auto_fd root = -1;

                x.folder = -1;
                x.n_layers = n;
                root = mount_it(&g, &x);
                if (n > 0)
                        check_layers(root, n);
                CHECK(openat(root, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644) < 0 && errno == EROFS);
        }
        {
                struct snapshot x = snapshot_of(&g);

                x.n_layers = 0; /* made with layers: there is nothing to go below */
                CHECK(snapshot_mount(g.s, &x, NULL) < 0);
        }
}

static void without_a_writable_layer_it_is_read_only(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(look_only, *state), 0);
}

static void from_scratch(void *state)
{
        struct ground g = lay_ground(state, 0);
        struct snapshot x = snapshot_of(&g);
        auto_fd root = mount_it(&g, &x);

        write_text(root, "new", "text");
        CHECK(has_text(g.upper, "new", "text"));
}

static void an_image_without_layers_has_an_empty_root(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(from_scratch, *state), 0);
}

static void lossy_again(void *state)
{
        struct ground g = lay_ground(state, 2);
        struct snapshot x = snapshot_of(&g);

        x.lossy = true;
        for (int i = 0; i < 3; i++) {
                auto_fd root = mount_it(&g, &x);

                CHECK(i == 0 || has_text(root, "kept", "text"));
                write_text(root, "kept", "text");
        }
}

static void a_lossy_one_can_be_mounted_again(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(lossy_again, *state), 0);
}

/* Attributes with which overlayfs would show another folder, or another file's content, in place of a layer's */
static void hostile(void *state)
{
        struct ground g = lay_ground(state, 2);
        struct snapshot x = snapshot_of(&g);
        auto_fd lower = layer_open(g.s, &g.layers[0], NULL), upper = layer_open(g.s, &g.layers[1], NULL), root = -1,
                dir = -1, file = -1;

        CHECK(mkdirat(lower, "secret", 0755) == 0 && mkdirat(upper, "lure", 0755) == 0);
        write_text(lower, "secret/x", "secret");
        write_text(lower, "content", "secret");
        write_text(upper, "content", "");
        dir = openat(upper, "lure", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        file = openat(upper, "content", O_RDONLY | O_CLOEXEC);
        CHECK(fsetxattr(dir, "trusted.overlay.redirect", "/secret", 7, 0) == 0);
        CHECK(fsetxattr(file, "trusted.overlay.metacopy", "", 0, 0) == 0);
        root = mount_it(&g, &x);
        CHECK(!is_there(root, "lure/x"));
        CHECK(!has_text(root, "content", "secret"));
}

static void overlay_attributes_of_layers_lead_nowhere(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(hostile, *state), 0);
}

/* A user namespace that has 100000 and up as 0 and up; held by a child */
static int mapped_namespace(void)
{
        auto_str path = NULL;
        int go[2], fd;
        pid_t pid;
        char c;

        CHECK(pipe(go) == 0);
        pid = fork();
        if (pid == 0) {
                CHECK(unshare(CLONE_NEWUSER) == 0);
                CHECK(write(go[1], "x", 1) == 1);
                for (;;)
                        pause();
        }
        CHECK(read(go[0], &c, 1) == 1);
        path = cor_printf("/proc/%d", (int)pid);
        {
                int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

                write_text(dir, "uid_map", "0 100000 65536");
                write_text(dir, "gid_map", "0 100000 65536");
                fd = openat(dir, "ns/user", O_RDONLY | O_CLOEXEC);
                close(dir);
        }
        CHECK(fd >= 0);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return fd;
}

static uid_t owner(int dirfd, const char *name)
{
        struct stat st;

        CHECK(fstatat(dirfd, name, &st, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0);
        return st.st_uid;
}

static void check_mapped(const struct ground *g, int root, const char *name)
{
        CHECK(owner(root, "") == 100000);
        CHECK(owner(root, "all") == 100000);
        CHECK(owner(root, "only-0") == 100000);
        setfsuid(100000);
        setfsgid(100000);
        write_text(root, name, "text");
        setfsuid(0);
        setfsgid(0);
        CHECK(owner(root, name) == 100000);
        CHECK(owner(g->upper, name) == 0); /* on the disk it is as if there were no namespace */
}

/* As overlay_mount() does before it calls overlay_mount_alone() */
static void caps_raise(void)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2];

        CHECK(syscall(SYS_capget, &header, data) == 0);
        data[0].effective = data[0].permitted;
        data[1].effective = data[1].permitted;
        CHECK(syscall(SYS_capset, &header, data) == 0);
}

static void mapped(void *state)
{
        struct ground g = lay_ground(state, 3);
        struct snapshot x = snapshot_of(&g);
        auto_fd root = -1, single = -1, layers = -1, folder = -1, upper = -1, work = -1, alone = -1, lower = -1;
        struct overlay o = OVERLAY_INIT;

        x.userns = mapped_namespace();
        root = mount_it(&g, &x);
        check_mapped(&g, root, "new");
        cor_fd_close(&root);
        x.folder = -1;
        x.n_layers = 1;
        single = mount_it(&g, &x);
        CHECK(owner(single, "all") == 100000);

        /* the way of kernels before 6.15 */
        CHECK_OK(layers = mount_clone(store_layers_fd(g.s), "", false, false, &err));
        CHECK_OK(mount_idmap(layers, x.userns, false, &err));
        CHECK_OK(folder = mount_clone(g.folder, "", false, false, &err));
        CHECK_OK(mount_idmap(folder, x.userns, false, &err));
        upper = openat(folder, "upper", O_PATH | O_CLOEXEC);
        work = openat(folder, "work", O_PATH | O_CLOEXEC);
        {
                auto_str path = cor_printf("%s/diff", digest_hex(&g.layers[0]));

                lower = openat(layers, path, O_PATH | O_CLOEXEC);
        }
        o.lower = &lower;
        o.n_lower = 1;
        o.upper = upper;
        o.work = work;
        o.mounts[0] = layers;
        o.mounts[1] = folder;
        o.origins[0] = store_layers_fd(g.s);
        o.origins[1] = g.folder;
        o.uid = o.gid = 100000;
        setfsuid(100000);
        setfsgid(100000);
        caps_raise();
        CHECK_OK(alone = overlay_mount_alone(&o, true, &err));
        setfsuid(0);
        setfsgid(0);
        check_mapped(&g, alone, "new2");
}

static void ids_can_be_mapped(void **state)
{
        NEED_ROOT();
        assert_int_equal(in_child(mapped, *state), 0);
}

/* An ordinary user: attributes are "user.overlay.", and all of it is in a namespace of his own. */
static void as_user(void *state)
{
        struct scratch *scratch = state;
        struct ground g;
        struct snapshot x;
        auto_fd root = -1, dir = -1;
        char opaque[8];

        CHECK(chown(scratch->path, 65534, 65534) == 0 || geteuid() != 0);
        if (geteuid() == 0)
                CHECK(setgid(65534) == 0 && setuid(65534) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0);
        {
                auto_str uids = cor_printf("0 %u 1", (unsigned)geteuid());
                auto_str gids = NULL;

                gids = cor_printf("0 %u 1", (unsigned)getegid());
                CHECK(unshare(CLONE_NEWUSER) == 0);
                write_text(AT_FDCWD, "/proc/self/setgroups", "deny");
                write_text(AT_FDCWD, "/proc/self/uid_map", uids);
                write_text(AT_FDCWD, "/proc/self/gid_map", gids);
        }
        g = lay_ground(state, 60);
        CHECK(strcmp(store_overlay_prefix(g.s), "user.overlay.") == 0);
        CHECK(mkdirat(openat(layer_open(g.s, &g.layers[0], NULL), ".", O_RDONLY), "dir", 0755) == 0);
        x = snapshot_of(&g);
        root = mount_it(&g, &x); /* still in the host's mount namespace */
        check_layers(root, 60);
        cor_fd_close(&root);
        CHECK(unshare(CLONE_NEWNS) == 0);
        g = lay_ground_again(scratch, &g);
        x = snapshot_of(&g);
        root = mount_it(&g, &x);
        check_layers(root, 60);
        write_text(root, "new", "text");
        CHECK(unlinkat(root, "only-3", 0) == 0);
        CHECK(unlinkat(root, "dir", AT_REMOVEDIR) == 0 && mkdirat(root, "dir", 0755) == 0);
        CHECK(has_text(g.upper, "new", "text"));
        dir = openat(g.upper, "dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(fgetxattr(dir, "user.overlay.opaque", opaque, sizeof opaque) == 1);
        x.folder = -1;
        cor_fd_close(&root);
        root = mount_it(&g, &x);
        check_layers(root, 60);
}

static void users_have_it_in_a_namespace(void **state)
{
        assert_int_equal(in_child(as_user, *state), 0);
}

static void limited(void *state)
{
        struct scratch *scratch = state;
        auto_str make = cor_printf("cd %s && truncate -s 64M disk && mkfs.ext4 -q -O project,quota -E "
                                   "root_owner=0:0 disk && mkdir -p m && mount -o loop,prjquota disk m 2>/dev/null",
                                   scratch->path);
        auto_str path = cor_printf("%s/m/store", scratch->path);
        struct digest none = { 0 };
        struct store *s = NULL;
        char block[65536] = { 0 };
        int fds[2], fd;
        size_t written = 0;
        ssize_t n = 0;

        CHECK(unshare(CLONE_NEWNS) == 0);
        CHECK_OK(mount_propagation("/", MS_REC | MS_PRIVATE, &err));
        if (system(make) != 0) {
                dprintf(2, "# no ext4 with project quotas can be mounted here; runs where mkfs.ext4 and loop devices "
                           "are\n");
                _exit(77);
        }
        CHECK_OK(store_open(path, STORE_CREATE | STORE_DATABASE, &s, &err));
        for (int i = 0; i < 2; i++) { /* two containers, each with its own limit */
                auto_str id = cor_printf("%c%063d", (char)(97 + i), 1);
                auto_str name = NULL;
                struct container_row r = { .id = id, .auto_remove = true };
                struct snapshot x = SNAPSHOT_INIT;

                name = cor_printf("c%d", i);
                r.name = name;
                r.image_id = none;
                snprintf(r.image_id.text, sizeof r.image_id.text, "sha256:%064d", 0);
                CHECK_OK(container_row_add(s, &r, &err));
                CHECK_OK(x.folder = container_folder_open(s, id, &err));
                CHECK_OK(snapshot_make(s, x.folder, NULL, 0, 1 << 20, &err));
                CHECK_OK(fds[i] = snapshot_mount(s, &x, &err));
        }
        fd = openat(fds[0], "big", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        while (written < 16 << 20 && (n = write(fd, block, sizeof block)) > 0)
                written += (size_t)n; /* the last one before the limit may be a part of what was given */
        CHECK(n < 0 && (errno == EDQUOT || errno == ENOSPC));
        CHECK(written <= 1 << 20 && written >= 1 << 19);
        write_text(fds[1], "other", "there is room here"); /* the limit is of one container */
}

static void no_limit_here(void *state)
{
        struct ground g = lay_ground(state, 0);
        struct cor_err err = { 0 };

        CHECK(unlinkat(openat(g.folder, ".", O_RDONLY), "upper", AT_REMOVEDIR) == 0);
        CHECK(snapshot_make(g.s, g.folder, NULL, 0, 1 << 20, &err) < 0);
        CHECK(err.kind == COR_UNSUPPORTED && strstr(err.msg, "counts projects"));
        CHECK(!is_there(g.folder, "upper")); /* not half-made */
}

static void its_size_can_be_limited(void **state)
{
        int status;

        NEED_ROOT();
        status = in_child(limited, *state);
        if (status == 77) {
                print_message("skipped: this kernel has no project quotas: runs with make check-amd64\n");
                skip();
        }
        assert_int_equal(status, 0);
        assert_int_equal(in_child(no_limit_here, *state), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(it_is_a_writable_layer_on_layers),
                scratch_test(hundreds_of_layers),
                scratch_test(without_a_writable_layer_it_is_read_only),
                scratch_test(an_image_without_layers_has_an_empty_root),
                scratch_test(a_lossy_one_can_be_mounted_again),
                scratch_test(overlay_attributes_of_layers_lead_nowhere),
                scratch_test(ids_can_be_mapped),
                scratch_test(users_have_it_in_a_namespace),
                scratch_test(its_size_can_be_limited),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
