#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "spec/oci.h"
#include "store/container.h"
#include "store/hash.h"
#include "store/image.h"
#include "store/layer.h"
#include "store/volume.h"
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "opened.h"

static void ok(int r, const struct cor_err *err)
{
        if (r < 0)
                fail_msg("%s", err->msg);
}

/* @n as an id: each starts with the digit that is asked for */
static char *id_of(char first, unsigned n)
{
        return cor_printf("%c%063x", first, n);
}

/* container_row_done() */
static struct container_row make_row(const char *name, char first, unsigned n)
{
        struct container_row r = { .id = id_of(first, n), .name = cor_strdup(name), .image = cor_strdup("busybox") };

        r.image_id = hash_bytes("image", 5);
        r.config = cor_strdup("{\"Env\":[]}");
        r.host_config = cor_strdup("{\"Memory\":1}");
        r.networking = cor_strdup("{}");
        r.command = cor_strdup("sleep 1");
        r.created = 1000 + (int64_t)n;
        return r;
}

static void add_row(struct store *s, const char *name, char first, unsigned n)
{
        auto_container_row r = make_row(name, first, n);
        struct cor_err err = { 0 };

        ok(container_row_add(s, &r, &err), &err);
}

static void make_layer(struct store *s, const struct digest *name)
{
        auto_layer_ingest i = NULL;

        assert_int_equal(layer_ingest_begin(s, &i, NULL), 0);
        assert_int_equal(layer_ingest_finish(i, 5, NULL), 0);
        assert_int_equal(layer_ingest_commit(i, name, NULL), 0);
}

static void recorded_and_found(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_container_row r = make_row("web", 'a', 1), by_name = { 0 }, by_slash = { 0 }, by_id = { 0 },
                           by_prefix = { 0 }, by_number = { 0 };
        auto_container_rows list = { 0 }, full = { 0 };
        auto_str folder = cor_printf("store/containers/%s", r.id);
        struct cor_err err = { 0 };
        auto_fd fd = -1;

        cor_strv_add(&r.labels, "one=1");
        cor_strv_add(&r.labels, "two=line\nbreak");
        r.now.error = cor_strdup("why");
        ok(container_row_add(s, &r, &err), &err);
        assert_true(r.number > 0);
        add_row(s, "db", 'b', 2);
        assert_true(scratch_has(*state, folder));
        fd = container_folder_open(s, r.id, &err);
        ok(fd, &err);

        ok(container_row_find(s, "web", &by_name, &err), &err);
        assert_string_equal(by_name.id, r.id);
        assert_int_equal(by_name.number, r.number);
        assert_string_equal(by_name.config, r.config);
        assert_string_equal(by_name.host_config, r.host_config);
        assert_string_equal(by_name.networking, "{}");
        assert_null(by_name.mounts);
        assert_string_equal(by_name.image_id.text, r.image_id.text);
        assert_string_equal(by_name.labels.items[1], "two=line\nbreak");
        assert_string_equal(by_name.now.error, "why");
        ok(container_row_find(s, "/web", &by_slash, &err), &err);
        ok(container_row_find(s, r.id, &by_id, &err), &err);
        ok(container_row_find(s, "a0", &by_prefix, &err), &err);
        ok(container_row_get(s, r.number, &by_number, &err), &err);
        assert_string_equal(by_prefix.name, "web");
        assert_string_equal(by_number.name, "web");
        ok(container_row_all(s, false, &list, &err), &err);
        assert_int_equal(list.n_items, 2);
        assert_string_equal(list.items[0].name, "db"); /* newest first */
        assert_null(list.items[1].config);
        assert_string_equal(list.items[1].command, "sleep 1");
        ok(container_row_all(s, true, &full, &err), &err);
        assert_string_equal(full.items[1].config, r.config);
}

static void names_and_ids_that_lead_nowhere(void **state)
{
        static const char *const names[] = { "x", "", "/", "ab", "webb", "A", "a%", "'" };
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_container_row found = { 0 };
        struct cor_err err = { 0 };

        add_row(s, "web", 'a', 1);
        add_row(s, "web2", 'a', 2);
        for (size_t i = 0; i < COR_COUNT(names); i++) {
                auto_str message = cor_printf("No such container: %s", names[i]);

                assert_int_equal(container_row_find(s, names[i], &found, &err), -1);
                assert_int_equal(err.kind, COR_NOT_FOUND);
                assert_string_equal(err.msg, message);
        }
        assert_int_equal(container_row_find(s, "a0", &found, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_string_equal(err.msg, "Multiple IDs found with provided prefix: a0");
        assert_int_equal(container_row_get(s, 99, &found, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_int_equal(container_folder_open(s, "../layers", &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_int_equal(container_folder_remove(s, "..", &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
}

/* A name that looks like a beginning of an id is a name first. */
static void a_name_counts_before_a_prefix(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_container_row found = { 0 };
        struct cor_err err = { 0 };

        add_row(s, "b0", 'a', 1);
        add_row(s, "other", 'b', 2);
        ok(container_row_find(s, "b0", &found, &err), &err);
        assert_int_equal(found.id[0], 'a');
}

static void a_taken_name_is_refused_in_dockers_words(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_container_row r = make_row("web", 'b', 2), again = make_row("free", 'a', 1), other = { 0 };
        auto_str id = id_of('a', 1);
        auto_str folder = cor_printf("store/containers/%s", r.id);
        auto_str message =
                cor_printf("Conflict. The container name \"/web\" is already in use by container \"%s\". You "
                           "have to remove (or rename) that container to be able to reuse that name.",
                           id);
        struct cor_err err = { 0 };

        add_row(s, "web", 'a', 1);
        assert_int_equal(container_row_add(s, &r, &err), -1);
        assert_int_equal(err.kind, COR_EXISTS);
        assert_string_equal(err.msg, message);
        assert_false(scratch_has(*state, folder));
        assert_int_equal(container_row_add(s, &again, &err), -1); /* the same id */
        assert_int_equal(err.kind, COR_EXISTS);

        add_row(s, "db", 'c', 3);
        ok(container_row_find(s, "db", &other, &err), &err);
        free(other.name);
        other.name = cor_strdup("web");
        assert_int_equal(container_row_save(s, &other, &err), -1);
        assert_int_equal(err.kind, COR_EXISTS);
        assert_string_equal(err.msg, message);
}

static void changed_and_forgotten(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_container_row r = make_row("web", 'a', 1), back = { 0 }, gone = { 0 };
        auto_str folder = cor_printf("store/containers/%s", r.id);
        auto_str file = cor_printf("%s/x", folder);
        auto_str dropped = NULL;
        auto_store other = NULL;
        auto_container_gone left = CONTAINER_GONE_NONE;
        struct container_now now = { .phase = CONTAINER_PHASE_EXITED,
                                     .pid = 7,
                                     .monitor_pid = 8,
                                     .pid_start_time = UINT64_MAX,
                                     .monitor_start_time = 9,
                                     .started = 10,
                                     .finished = 11,
                                     .exit_code = 137,
                                     .oom_killed = true,
                                     .stopped = true,
                                     .restart_count = 3,
                                     .health = CONTAINER_HEALTH_BAD };
        struct cor_err err = { 0 };
        int64_t number;

        ok(container_row_add(s, &r, &err), &err);
        number = r.number;
        ok(container_row_save_now(s, number, &now, false, &err), &err);
        free(r.name);
        r.name = cor_strdup("renamed");
        r.mounts = cor_strdup("[]");
        r.ports = cor_strdup("80/tcp");
        ok(container_row_save(s, &r, &err), &err);
        ok(container_row_find(s, "renamed", &back, &err), &err);
        assert_int_equal(back.now.phase, CONTAINER_PHASE_EXITED);
        assert_true(back.now.pid_start_time == UINT64_MAX);
        assert_int_equal(back.now.exit_code, 137);
        assert_true(back.now.oom_killed && back.now.stopped);
        assert_int_equal(back.now.restart_count, 3);
        assert_int_equal(back.now.health, CONTAINER_HEALTH_BAD);
        assert_string_equal(back.mounts, "[]");
        assert_string_equal(back.ports, "80/tcp");

        scratch_file(*state, file, "text");
        ok(container_folder_drop(s, r.id, &left, &err), &err);
        assert_false(scratch_has(*state, folder));
        assert_non_null(left.name);
        dropped = cor_printf("store/containers/.work/%s", left.name);
        other = open_store(*state, STORE_DATABASE);
        assert_int_equal(container_row_locked(other, number, CONTAINER_LOCK_WORK, &err), 0);
        assert_true(scratch_has(*state, dropped)); /* who opens the folders clears them, but leaves this one alone */
        ok(container_folder_clear(s, &left, &err), &err);
        assert_false(scratch_has(*state, dropped));
        ok(container_folder_drop(s, r.id, &left, &err), &err);
        assert_null(left.name);
        ok(container_folder_remove(s, r.id, &err), &err);
        ok(container_row_remove(s, number, true, &err), &err);
        assert_int_equal(container_row_remove(s, number, true, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_int_equal(container_row_save_now(s, number, &now, true, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_int_equal(container_row_find(s, "renamed", &gone, &err), -1);
        add_row(s, "next", 'd', 4);
        ok(container_row_find(s, "next", &gone, &err), &err);
        assert_true(gone.number > number); /* numbers are never used twice */
}

static void layers_of_containers_are_kept(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_container_row r = make_row("web", 'a', 1), without = make_row("bad", 'b', 2), back = { 0 };
        struct digest one = hash_bytes("1", 1), two = hash_bytes("2", 1), other = hash_bytes("3", 1);
        auto_collected first = { 0 }, second = { 0 };
        struct cor_err err = { 0 };

        make_layer(s, &one);
        make_layer(s, &two);
        make_layer(s, &other);
        *COR_GROW(r.layers, r.n_layers) = two;
        *COR_GROW(r.layers, r.n_layers) = one;
        ok(container_row_add(s, &r, &err), &err);
        ok(store_collect(s, &first, &err), &err);
        assert_int_equal(first.n_items, 1);
        assert_string_equal(first.items[0].text, other.text);
        ok(container_row_find(s, "web", &back, &err), &err);
        assert_int_equal(back.n_layers, 2);
        assert_string_equal(back.layers[0].text, two.text); /* in their order */

        *COR_GROW(without.layers, without.n_layers) = other;
        assert_int_equal(container_row_add(s, &without, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        ok(container_row_remove(s, r.number, true, &err), &err);
        ok(store_collect(s, &second, &err), &err);
        assert_int_equal(second.n_items, 2);
}

static struct volume_row make_volume(const char *name)
{
        struct volume_row v = { .name = cor_strdup(name), .driver = cor_strdup("local"), .created = 5 };

        cor_strv_add(&v.options, "type=tmpfs");
        cor_strv_add(&v.labels, "a=b");
        return v;
}

static void volumes_are_kept_while_in_use(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_volume_row v = make_volume("data"), found = { 0 }, again = { 0 };
        auto_container_row r = make_row("web", 'a', 1);
        auto_str in_use = cor_printf("remove data: volume is in use - [%s]", r.id);
        auto_volume_rows all = { 0 };
        struct cor_err err = { 0 };
        auto_fd fd = -1;

        cor_strv_add(&r.volumes, "data");
        assert_int_equal(container_row_add(s, &r, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_string_equal(err.msg, "get data: no such volume");
        ok(volume_row_add(s, &v, &err), &err);
        assert_int_equal(volume_row_add(s, &v, &err), -1);
        assert_int_equal(err.kind, COR_EXISTS);
        ok(container_row_add(s, &r, &err), &err);
        ok(volume_row_find(s, "data", &found, &err), &err);
        assert_int_equal(found.users, 1);
        assert_string_equal(found.options.items[0], "type=tmpfs");
        assert_int_equal(volume_row_remove(s, "data", &err), -1);
        assert_int_equal(err.kind, COR_BUSY);
        assert_string_equal(err.msg, in_use);
        fd = volume_folder_open(s, "data", &err);
        ok(fd, &err);
        scratch_file(*state, "store/volumes/data/_data/file", "text");

        ok(container_row_remove(s, r.number, false, &err), &err);
        ok(volume_row_remove(s, "data", &err), &err);
        assert_false(scratch_has(*state, "store/volumes/data"));
        assert_int_equal(volume_row_remove(s, "data", &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_int_equal(volume_row_find(s, "data", &again, &err), -1);
        ok(volume_row_all(s, &all, &err), &err);
        assert_int_equal(all.n_items, 0);
}

static void volumes_come_with_their_container_or_not_at_all(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_container_row r = make_row("web", 'a', 1), taken = make_row("web", 'b', 2), bad = make_row("x", 'c', 3);
        auto_volume_rows one = { 0 }, two = { 0 }, wrong = { 0 }, all = { 0 };
        struct cor_err err = { 0 };

        *COR_GROW(one.items, one.n_items) = make_volume("one");
        *COR_GROW(two.items, two.n_items) = make_volume("two");
        *COR_GROW(wrong.items, wrong.n_items) = make_volume("three");
        *COR_GROW(wrong.items, wrong.n_items) = make_volume("../four");
        cor_strv_add(&r.volumes, "one");
        ok(container_row_add_with(s, &r, &one, &err), &err);
        assert_int_equal(container_row_add_with(s, &taken, &two, &err), -1);
        assert_int_equal(err.kind, COR_EXISTS);
        assert_int_equal(container_row_add_with(s, &bad, &wrong, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        ok(volume_row_all(s, &all, &err), &err);
        assert_int_equal(all.n_items, 1);
        assert_int_equal(all.items[0].users, 1);
        ok(volume_row_add(s, &wrong.items[0], &err), &err); /* the folder that was left is no obstacle */
}

/* How many entries of a folder do not begin with a dot */
static size_t entries(struct scratch *s, const char *name)
{
        int fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;
        size_t n = 0;

        assert_non_null(dir);
        while ((entry = readdir(dir)))
                n += entry->d_name[0] != '.';
        closedir(dir);
        return n;
}

static void what_was_in_the_making_gets_its_place_with_the_row(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_container_row good = make_row("web", 'a', 1), bad = make_row("x", 'b', 2);
        auto_store_new folder = STORE_NEW_INIT, volume = STORE_NEW_INIT, second = STORE_NEW_INIT;
        auto_volume_rows l = { 0 };
        struct cor_err err = { 0 };
        auto_fd fd = -1;

        ok(container_folder_new(s, &folder, &err), &err);
        ok(volume_folder_new(s, &volume, &err), &err);
        ok(volume_folder_new(s, &second, &err), &err);
        assert_int_equal(mkdirat(folder.fd, "upper", 0755), 0);
        assert_int_equal(mkdirat(volume.fd, "_data/x", 0755), 0);
        *COR_GROW(l.items, l.n_items) = make_volume("data");
        l.items[0].folder = &volume;
        bad.folder = &folder;
        cor_strv_add(&bad.volumes, "missing");
        assert_int_equal(container_row_add_with(s, &bad, &l, &err), -1); /* when all had its place: it is taken back */
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_false(scratch_has(*state, "store/volumes/data"));
        store_new_done(&folder);

        ok(container_folder_new(s, &folder, &err), &err);
        assert_int_equal(mkdirat(folder.fd, "upper", 0755), 0);
        good.folder = &folder;
        cor_strv_add(&good.volumes, "data");
        ok(container_row_add_with(s, &good, &l, &err), &err);
        assert_true(l.items[0].made);
        store_new_done(&folder);
        store_new_done(&volume);
        assert_true(scratch_has(*state, "store/volumes/data/_data/x"));
        fd = container_folder_open(s, good.id, &err);
        assert_int_equal(faccessat(fd, "upper", F_OK, 0), 0);
        ok(container_row_remove(s, good.number, false, &err), &err);
        ok(container_folder_remove(s, good.id, &err), &err);

        l.items[0].folder = &second; /* somebody else was first */
        good.folder = NULL;
        ok(container_row_add_with(s, &good, &l, &err), &err);
        assert_false(l.items[0].made);
        store_new_done(&second);
        assert_true(scratch_has(*state, "store/volumes/data/_data/x"));
        assert_int_equal(entries(*state, "store/volumes/.work"), 0);
        assert_int_equal(entries(*state, "store/containers/.work"), 0);
}

static void names_of_volumes_are_checked(void **state)
{
        static const char *const bad[] = { "",     "a",    ".",   "..",  ".x", "a/b",
                                           "../x", "/abs", "a b", "a\n", "-x", "\xc3\xa9z" };
        auto_store s = open_store(*state, STORE_DATABASE);
        struct cor_err err = { 0 };

        for (size_t i = 0; i < COR_COUNT(bad); i++) {
                auto_volume_row v = make_volume(bad[i]);

                assert_int_equal(volume_row_add(s, &v, &err), -1);
                assert_int_equal(err.kind, COR_INVALID);
                assert_int_equal(volume_folder_open(s, bad[i], &err), -1);
        }
        for (size_t n = 255; n <= 256; n++) {
                auto_volume_row v = { .name = cor_alloc(n + 1) };

                memset(v.name, 'a', n);
                assert_int_equal(volume_row_add(s, &v, &err), n == 255 ? 0 : -1);
        }
}

/* Locks are between processes, between handles, and end with their holder. */
static void locks_end_with_their_holder(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        struct cor_err err = { 0 };
        int pipes[2], status;
        auto_fd mine = -1;
        pid_t child;
        char c;

        assert_int_equal(pipe(pipes), 0);
        child = fork();
        if (child == 0) {
                int fd = container_row_lock(s, 7, CONTAINER_LOCK_MONITOR, -1, NULL);

                (void)!write(pipes[1], fd < 0 ? "n" : "y", 1);
                for (;;)
                        pause();
        }
        assert_int_equal(read(pipes[0], &c, 1), 1);
        assert_int_equal(c, 'y');
        assert_int_equal(container_row_locked(s, 7, CONTAINER_LOCK_MONITOR, &err), 1);
        assert_int_equal(container_row_locked(s, 7, CONTAINER_LOCK_WORK, &err), 0);
        assert_int_equal(container_row_locked(s, 8, CONTAINER_LOCK_MONITOR, &err), 0);
        assert_int_equal(container_row_lock(s, 7, CONTAINER_LOCK_MONITOR, 20, &err), -1);
        assert_int_equal(err.kind, COR_BUSY);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(container_row_locked(s, 7, CONTAINER_LOCK_MONITOR, &err), 0);
        mine = container_row_lock(s, 7, CONTAINER_LOCK_MONITOR, 0, &err);
        ok(mine, &err);
        assert_int_equal(container_row_locked(s, 7, CONTAINER_LOCK_MONITOR, &err), 1);
        cor_fd_close(&mine);
        assert_int_equal(container_row_locked(s, 7, CONTAINER_LOCK_MONITOR, &err), 0);
        close(pipes[0]);
        close(pipes[1]);
}

/* In a child that is killed any time: it makes containers with volumes, and removes every second one. */
static void make_and_remove(struct scratch *scratch, char first)
{
        auto_str path = cor_printf("%s/store", scratch->path);
        struct store *s = NULL;

        if (store_open(path, STORE_DATABASE, &s, NULL) < 0)
                _exit(1);
        for (unsigned n = 0;; n++) {
                auto_str name = cor_printf("%c-%u", first, n);
                struct container_row r = make_row(name, first, n);
                struct volume_rows volumes = { 0 };
                auto_str volume = cor_printf("vol-%s", name);

                r.auto_remove = n % 3;
                *COR_GROW(volumes.items, volumes.n_items) = make_volume(volume);
                cor_strv_add(&r.volumes, volume);
                if (container_row_add_with(s, &r, &volumes, NULL) < 0)
                        _exit(2);
                if (n % 2 &&
                    (container_folder_remove(s, r.id, NULL) < 0 || container_row_remove(s, r.number, false, NULL) < 0 ||
                     volume_row_remove(s, volume, NULL) < 0))
                        _exit(3);
                container_row_done(&r);
                volume_rows_done(&volumes);
        }
}

static void nothing_is_half_made_after_a_kill(void **state)
{
        auto_store s = open_store(*state, STORE_DATABASE);
        struct cor_err err = { 0 };

        for (int round = 0; round < 6; round++) {
                const struct timespec some = { .tv_nsec = 10000000L + round * 13000000L };
                auto_container_rows all = { 0 };
                auto_volume_rows volumes = { 0 };
                pid_t children[2];
                size_t folders = 0;
                int status;

                for (int c = 0; c < 2; c++) {
                        children[c] = fork();
                        if (children[c] == 0)
                                make_and_remove(*state, (char)("0123456789abcdef"[2 * round + c]));
                }
                nanosleep(&some, NULL);
                for (int c = 0; c < 2; c++) {
                        kill(children[c], SIGKILL);
                        assert_int_equal(waitpid(children[c], &status, 0), children[c]);
                        assert_true(WIFSIGNALED(status)); /* and not an error of its own */
                }
                ok(container_row_all(s, true, &all, &err), &err);
                ok(container_row_sweep(s, &err), &err);
                for (size_t i = 0; i < all.n_items; i++) {
                        auto_str folder = cor_printf("store/containers/%s", all.items[i].id);

                        folders += scratch_has(*state, folder) != 0;
                        assert_int_equal(all.items[i].volumes.n_items, 1);
                }
                assert_true(all.n_items - folders <= 2 * (size_t)(round + 1)); /* killed between folder and row */
                assert_int_equal(entries(*state, "store/containers"), folders);
                ok(volume_row_all(s, &volumes, &err), &err);
                for (size_t i = 0; i < all.n_items; i++) {
                        auto_fd fd = volume_folder_open(s, all.items[i].volumes.items[0], &err);

                        ok(fd, &err);
                }
        }
}

static int take_text(void *context, int n, char **values, char **names)
{
        *(char **)context = cor_strdup(values[0]);
        return 0;
}

/* Make the database one of version 1, with an image */
static void make_older(const char *path)
{
        auto_str drop = NULL;
        sqlite3 *sql = NULL;

        assert_int_equal(sqlite3_open(path, &sql), SQLITE_OK);
        assert_int_equal(sqlite3_exec(sql,
                                      "SELECT group_concat('DROP TABLE ' || name, ';') FROM sqlite_master WHERE type ="
                                      " 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ('image', 'image_name',"
                                      " 'image_blob', 'image_layer', 'lease', 'lease_item', 'state')",
                                      take_text, &drop, NULL),
                         SQLITE_OK);
        assert_int_equal(sqlite3_exec(sql, drop, NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(
                sqlite3_exec(sql,
                             "ALTER TABLE image DROP COLUMN created_ns;"
                             "INSERT INTO image VALUES (1, 'sha256:"
                             "0000000000000000000000000000000000000000000000000000000000000000', 'sha256:"
                             "0000000000000000000000000000000000000000000000000000000000000000', 'a', 'b', 'c',"
                             " 1, 2, 3, NULL); PRAGMA user_version = 1;",
                             NULL, NULL, NULL),
                SQLITE_OK);
        sqlite3_close(sql);
}

/* A store of the version before: its images stay, and containers can be made. */
static void an_older_store_is_brought_up_to_date(void **state)
{
        auto_str db = cor_printf("%s/store/coracle.db", ((struct scratch *)*state)->path);
        struct store *s = open_store(*state, STORE_DATABASE);
        auto_image_list images = { 0 };
        auto_store newer = NULL;
        struct cor_err err = { 0 };

        store_free(s);
        make_older(db);
        newer = open_store(*state, STORE_DATABASE);
        add_row(newer, "web", 'a', 1);
        ok(image_all(newer, false, &images, &err), &err);
        assert_int_equal(images.n_items, 1);
}

/* Each command is a process of its own, and whoever opens the database first reads all of its log. */
static void the_log_of_the_database_stays_short(void **state)
{
        struct scratch *scratch = *state;
        struct stat st;

        for (unsigned n = 0; n < 120; n++) {
                auto_str name = cor_printf("c%u", n);
                auto_store s = open_store(scratch, STORE_DATABASE);

                add_row(s, name, 'a', n);
                assert_int_equal(fstatat(scratch->fd, "store/coracle.db-wal", &st, 0), 0);
                assert_in_range(st.st_size, 0, 1 << 20);
        }
}

static void sockets_have_a_folder_of_the_stores_own(void **state)
{
        auto_store s = open_store(*state, 0);
        auto_str run = cor_printf("%s/run", ((struct scratch *)*state)->path);
        auto_str link = cor_printf("%s/link", ((struct scratch *)*state)->path);
        struct store *linked = NULL;
        const char *path, *other;
        struct cor_err err = { 0 };
        struct stat st;

        setenv("CORACLE_RUN", run, 1);
        ok(store_run_path(s, &path, &err), &err);
        assert_true(strncmp(path, run, strlen(run)) == 0);
        assert_int_equal(strlen(path), strlen(run) + 17);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 077, 0);
        scratch_link(*state, "store", "link"); /* another way to the same store */
        ok(store_open(link, 0, &linked, &err), &err);
        ok(store_run_path(linked, &other, &err), &err);
        assert_string_equal(other, path);
        store_free(linked);

        ok(store_open(link, 0, &linked, &err), &err);
        assert_int_equal(chmod(path, 0755), 0);
        assert_int_equal(store_run_path(linked, &other, &err), -1);
        assert_int_equal(err.kind, COR_DENIED);
        setenv("CORACLE_RUN", "relative", 1);
        assert_int_equal(store_run_path(linked, &other, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        store_free(linked);
        unsetenv("CORACLE_RUN");
}

/* A row with ids from @pool; its map, or "" if there are none left. free() */
static char *with_ids(struct store *s, const char *name, unsigned n, const struct id_pool *pool)
{
        auto_container_row r = make_row(name, 'd', n), found = { 0 };
        struct cor_err err = { 0 };

        r.pool = pool;
        if (container_row_add(s, &r, &err) < 0) {
                assert_int_equal(err.kind, COR_BUSY);
                return cor_strdup("");
        }
        ok(container_row_find(s, name, &found, &err), &err);
        assert_string_equal(found.id_map, r.id_map);
        return cor_strdup(found.id_map);
}

static void expect_ids(struct store *s, const char *name, unsigned n, const struct id_pool *pool, const char *expected)
{
        auto_str map = with_ids(s, name, n, pool);

        assert_string_equal(map, expected);
}

static void ids_of_containers_do_not_overlap(void **state)
{
        const struct oci_id_map uids[] = { { 0, 1000, 10 }, { 0, 5000, 20 } }, gids[] = { { 0, 7000, 100 } };
        const struct id_pool ten = { uids, gids, 2, 1, 10, "somebody" }, six = { uids, gids, 2, 1, 6, "somebody" };
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_container_row taken = make_row("fixed", 'e', 1), gone = { 0 };
        struct cor_err err = { 0 };

        taken.id_map = cor_strdup("0:5003:2;0:9000:1"); /* a map that it came with */
        ok(container_row_add(s, &taken, &err), &err);
        expect_ids(s, "one", 1, &ten, "0:1000:10;0:7000:10");
        expect_ids(s, "two", 2, &ten, "0:5005:10;0:7010:10");
        expect_ids(s, "three", 3, &ten, "");
        assert_int_equal(container_row_find(s, "three", &gone, &err), -1);
        expect_ids(s, "four", 4, &six, "");
        ok(container_row_find(s, "one", &gone, &err), &err);
        ok(container_row_remove(s, gone.number, false, &err), &err);
        expect_ids(s, "five", 5, &six, "0:1000:6;0:7000:6");
}

static void mounted_images_are_kept(void **state)
{
        const struct digest layer = hash_bytes("layer", 5);
        auto_store s = open_store(*state, STORE_DATABASE);
        auto_container_row r = make_row("web", 'a', 1);
        auto_container_image_uses uses = { 0 }, none = { 0 };
        auto_collected first = { 0 }, second = { 0 };
        struct cor_err err = { 0 };

        r.n_images = 2;
        r.images = cor_alloc(2 * sizeof *r.images);
        r.images[0] =
                (struct container_image){ .id = hash_bytes("a", 1), .layers = cor_alloc(sizeof layer), .n_layers = 1 };
        r.images[0].layers[0] = layer;
        r.images[1] = (struct container_image){ .id = hash_bytes("b", 1) }; /* of nothing */
        assert_int_equal(container_row_add(s, &r, &err), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        make_layer(s, &layer);
        ok(container_row_add(s, &r, &err), &err);
        ok(container_image_uses(s, &uses, &err), &err);
        assert_int_equal(uses.n_items, 2);
        assert_int_equal(uses.items[0].container, r.number);
        ok(store_collect(s, &first, &err), &err);
        assert_true(layer_size(s, &layer) >= 0);
        ok(container_row_remove(s, r.number, false, &err), &err);
        ok(container_image_uses(s, &none, &err), &err);
        assert_int_equal(none.n_items, 0);
        ok(store_collect(s, &second, &err), &err);
        assert_true(layer_size(s, &layer) < 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(recorded_and_found),
                scratch_test(names_and_ids_that_lead_nowhere),
                scratch_test(a_name_counts_before_a_prefix),
                scratch_test(a_taken_name_is_refused_in_dockers_words),
                scratch_test(changed_and_forgotten),
                scratch_test(layers_of_containers_are_kept),
                scratch_test(mounted_images_are_kept),
                scratch_test(ids_of_containers_do_not_overlap),
                scratch_test(volumes_are_kept_while_in_use),
                scratch_test(volumes_come_with_their_container_or_not_at_all),
                scratch_test(what_was_in_the_making_gets_its_place_with_the_row),
                scratch_test(names_of_volumes_are_checked),
                scratch_test(locks_end_with_their_holder),
                scratch_test(nothing_is_half_made_after_a_kill),
                scratch_test(the_log_of_the_database_stays_short),
                scratch_test(an_older_store_is_brought_up_to_date),
                scratch_test(sockets_have_a_folder_of_the_stores_own),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
