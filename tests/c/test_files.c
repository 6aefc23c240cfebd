/*
 * tests/c/test_files.c - files and paths, locks, the worker pool and clocks; also across fork().
 */
#include "unit.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/thread.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[64];

static int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/ps_files_XXXXXX");
    return mkdtemp(root) == NULL;
}

static int remove_root(void **state)
{
    (void)state;
    return ps_fs_remove_tree(ps_fs_local(), root, &err);
}

static const char *in_root(const char *name)
{
    static char path[2][200];
    static int turn;

    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", root, name);
    return path[turn];
}

static int count_files(const char *dir)
{
    ps_file_list list = {0};
    int n;

    OK(ps_fs_list(ps_fs_local(), dir, &list, &err));
    n = list.n;
    ps_file_list_clear(&list);
    return n;
}

static void atomic_writes(void **state)
{
    ps_fs *fs = ps_fs_local();
    ps_bytes out = {0};

    (void)state;
    OK(ps_fs_write_atomic(fs, in_root("a"), "one", 3, true, true, &err));
    FAILS(FILE_EXISTS, ps_fs_write_atomic(fs, in_root("a"), "two", 3, true, false, &err));
    assert_int_equal(count_files(root), 1); /* no temporary file stays */
    OK(ps_fs_read_all(fs, in_root("a"), &out, &err));
    TEXT(&out, "one");
    OK(ps_fs_write_atomic(fs, in_root("a"), "", 0, false, true, &err));
    ps_bytes_reset(&out);
    OK(ps_fs_read_all(fs, in_root("a"), &out, &err));
    TEXT(&out, "");
    FAILS(FILE_NOT_FOUND, ps_fs_read_all(fs, in_root("b"), &out, &err));
    FAILS(FILE_NOT_FOUND, ps_fs_write_atomic(fs, in_root("no/b"), "", 0, true, true, &err));
    ps_bytes_clear(&out);
}

static void removing_takes_hadoop_s_checksum_along(void **state)
{
    ps_fs *fs = ps_fs_local();

    (void)state;
    OK(ps_fs_make_dirs(fs, in_root("x/y/z"), &err));
    OK(ps_fs_write_atomic(fs, in_root("x/0"), "", 0, true, false, &err));
    OK(ps_fs_write_atomic(fs, in_root("x/.0.crc"), "", 0, true, false, &err));
    OK(ps_fs_remove(fs, in_root("x/0"), &err));
    OK(ps_fs_remove(fs, in_root("x/0"), &err));
    assert_int_equal(count_files(in_root("x")), 1);
    OK(ps_fs_remove_tree(fs, in_root("x"), &err));
    OK(ps_fs_remove_tree(fs, in_root("x"), &err));
    assert_int_equal(count_files(in_root("x")), 0); /* a missing directory is empty */
    OK(ps_fs_write_atomic(fs, in_root("f"), "", 0, true, false, &err));
    FAILS(IO, ps_fs_make_dirs(fs, in_root("f/g"), &err));
}

static void file_is(const char *name, const char *text)
{
    ps_bytes out = {0};

    OK(ps_fs_read_all(ps_fs_local(), in_root(name), &out, &err));
    TEXT(&out, text);
    ps_bytes_clear(&out);
}

static void a_retired_file_is_written_anew(void **state)
{
    ps_fs *fs = ps_fs_local();
    bool kept;

    (void)state;
    OK(ps_fs_make_dirs(fs, in_root("old"), &err));
    for (int sync = 0; sync < 2; sync++) {
        OK(ps_fs_write_atomic(fs, in_root("old/1"), "a long text", 11, true, false, &err));
        OK(ps_fs_retire(fs, in_root("old/1"), in_root("old/.spare"), &kept, &err));
        assert_true(kept);
        OK(ps_fs_write_recycled(fs, in_root("old/.spare"), in_root("old/2"), ps_slice_of("short"), sync, &err));
        file_is("old/2", "short");
        assert_int_equal(count_files(in_root("old")), 1);
        OK(ps_fs_remove(fs, in_root("old/2"), &err));
    }
    OK(ps_fs_retire(fs, in_root("old/1"), in_root("old/.spare"), &kept, &err));
    assert_false(kept);
    OK(ps_fs_write_recycled(fs, in_root("old/.spare"), in_root("old/2"), ps_slice_of("new"), false, &err));
    file_is("old/2", "new");

    /* What has another name is somebody's copy. */
    assert_int_equal(link(in_root("old/2"), in_root("old/copy")), 0);
    OK(ps_fs_write_recycled(fs, in_root("old/2"), in_root("old/3"), ps_slice_of("x"), false, &err));
    file_is("old/copy", "new");
    file_is("old/3", "x");
    FAILS(FILE_EXISTS, ps_fs_write_recycled(fs, in_root("old/copy"), in_root("old/3"), ps_slice_of("y"), false, &err));
    file_is("old/3", "x");
    assert_int_equal(count_files(in_root("old")), 1);
    OK(ps_fs_remove_tree(fs, in_root("old"), &err));
}

static void every_mutation_can_fail(void **state)
{
    (void)state;
    for (int64_t n = 1;; n++) {
        bool exists;
        ps_file_info info;
        ps_fs *fs;
        OK(ps_fs_faulty_new(n, &fs, &err));
        ps_status rc = ps_fs_write_atomic(fs, in_root("torn"), "12345678", 8, true, true, &err);
        OK(ps_fs_stat(fs, in_root("torn"), &info, &exists, &err));
        assert_true(!exists || info.n_bytes == 8); /* whole or not at all */
        if (rc == PS_OK) {
            assert_int_equal(ps_fs_faulty_count(fs), n - 1);
            ps_fs_free(fs);
            break;
        }
        ps_fs_free(fs);
        OK(ps_fs_remove(ps_fs_local(), in_root("torn"), &err));
    }
    EVERY_ALLOCATION(ps_fs_write_atomic(ps_fs_local(), in_root("torn"), "x", 1, false, false, &err), (void)0);
    ps_bytes out = {0};
    EVERY_ALLOCATION(ps_fs_read_all(ps_fs_local(), in_root("torn"), &out, &err), ps_bytes_clear(&out));
    ps_file_list list = {0};
    EVERY_ALLOCATION(ps_fs_list(ps_fs_local(), root, &list, &err), ps_file_list_clear(&list));
}

static void path_is(const char *uri, const char *expected)
{
    char *path;

    OK(ps_path_from_uri(uri, &path, &err));
    assert_string_equal(path, expected);
    ps_free(path);
}

static void uri_is(const char *path, const char *expected)
{
    ps_bytes out = {0};
    char *back;

    OK(ps_path_to_uri(path, true, &out, &err));
    TEXT(&out, expected);
    OK(ps_path_from_uri(out.data, &back, &err));
    assert_string_equal(back, path);
    ps_free(back);
    ps_bytes_clear(&out);
}

static void paths_and_uris(void **state)
{
    char directory[1024], expected[1100];
    char *path;

    (void)state;
    path_is("file:///a%20b/c", "/a b/c");
    path_is("file:/a//b/./c/../d/", "/a/b/d");
    path_is("/a%20b", "/a%20b");
    path_is("/..", "/");
    path_is("/", "/");
    path_is("/a%", "/a%");
    path_is("file:///%zz%00", "/%zz%00");
    assert_non_null(getcwd(directory, sizeof directory));
    snprintf(expected, sizeof expected, "%s/x:y", directory);
    path_is("x:y", expected);
    FAILS(NO_FILESYSTEM, ps_path_from_uri("s3a://bucket/x", &path, &err));
    assert_string_equal(err.message, "No FileSystem for scheme \"s3a\"");
    uri_is("/in/a b%#.json", "file:///in/a%20b%25%23.json");
    uri_is("/k=1,2;3+4/\xC3\xA9\xE6\x97\xA5", "file:///k=1,2;3+4/\xC3\xA9\xE6\x97\xA5");
    uri_is("/[x]?\"^`{|}\\\xC2\xA0", "file:///%5Bx%5D%3F%22%5E%60%7B%7C%7D%5C%C2%A0");
    OK(ps_path_join("/a/", "/b", &path, &err));
    assert_string_equal(path, "/a/b");
    ps_free(path);
    OK(ps_path_join("/", "b", &path, &err));
    assert_string_equal(path, "/b");
    ps_free(path);
}

static void a_directory_is_locked_once(void **state)
{
    ps_file *one, *two;
    int status;
    bool held;

    (void)state;
    OK(ps_fs_lock_dir(ps_fs_local(), root, &one, &held, &err));
    assert_true(held);
    OK(ps_fs_lock_dir(ps_fs_local(), root, &two, &held, &err));
    assert_false(held);
    assert_null(two);
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t pid = fork();
    if (pid == 0) { /* stays alive with what it inherited until the parent has locked again */
        char c;
        close(pipe_ends[1]);
        _exit(read(pipe_ends[0], &c, 1) == 1 ? 0 : 1);
    }
    OK(ps_file_close(one, &err));
    OK(ps_fs_lock_dir(ps_fs_local(), root, &one, &held, &err));
    assert_true(held);
    OK(ps_file_close(one, &err));
    assert_int_equal(write(pipe_ends[1], "x", 1), 1);
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

/* ---- threads ---- */

typedef struct tally { atomic_llong sum; int fail_from; } tally;

static ps_status add(void *arg, int task, ps_error *e)
{
    tally *t = arg;

    if (t->fail_from >= 0 && task >= t->fail_from)
        return ps_raise(e, PS_E_LOG_ENTRY_MISSING, (long long)task);
    atomic_fetch_add(&t->sum, task);
    return PS_OK;
}

static void run_pool(void)
{
    for (int round = 0; round < 200; round++) {
        tally t = {0, -1};
        OK(ps_pool_run(1 + round % 5, 100, add, &t, &err));
        assert_int_equal(atomic_load(&t.sum), 4950);
    }
}

static void the_pool_runs_all_tasks_and_reports_the_first_failure(void **state)
{
    tally t = {0, 17};

    (void)state;
    run_pool();
    for (int round = 0; round < 200; round++) {
        FAILS(LOG_ENTRY_MISSING, ps_pool_run(4, 100, add, &t, &err));
        assert_string_equal(err.message, "batch 17 doesn't exist");
    }
    OK(ps_pool_run(4, 0, add, &t, &err));
}

static void *run_pool_in_thread(void *arg)
{
    run_pool();
    return arg;
}

static void the_pool_serves_several_threads_and_a_forked_child(void **state)
{
    pthread_t threads[3];
    int status;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_pool_in_thread, NULL), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    pid_t pid = fork();
    if (pid == 0) {
        tally t = {0, -1};
        ps_status rc = ps_pool_run(4, 100, add, &t, &err);
        _exit(rc != PS_OK || atomic_load(&t.sum) != 4950);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

typedef struct sleeper { ps_clock *clock; ps_lock lock; ps_cond cond; bool woke; } sleeper;

static void *sleep_until_5000(void *arg)
{
    sleeper *s = arg;

    ps_lock_take(&s->lock);
    while (ps_clock_now_ms(s->clock) < 5000)
        ps_clock_wait(s->clock, 5000, &s->cond, &s->lock);
    s->woke = true;
    ps_lock_drop(&s->lock);
    return NULL;
}

static void a_manual_clock_wakes_who_waits(void **state)
{
    sleeper s = {.woke = false};
    pthread_t thread;

    (void)state;
    ps_lock_init(&s.lock, PS_RANK_QUERY);
    ps_cond_init(&s.cond);
    OK(ps_clock_manual_new(1000, &s.clock, &err));
    pthread_create(&thread, NULL, sleep_until_5000, &s);
    usleep(5000);
    ps_clock_advance(s.clock, 3999);
    usleep(5000);
    ps_lock_take(&s.lock);
    assert_false(s.woke);
    ps_lock_drop(&s.lock);
    ps_clock_advance(s.clock, 1);
    pthread_join(thread, NULL);
    assert_int_equal(ps_clock_now_us(s.clock), 5000000);
    ps_clock_free(s.clock);
    ps_lock_clear(&s.lock);
    ps_cond_clear(&s.cond);
    assert_true(ps_clock_now_ms(ps_clock_system()) > 1700000000000);
    assert_true(ps_clock_ticks() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(atomic_writes),
        cmocka_unit_test(removing_takes_hadoop_s_checksum_along),
        cmocka_unit_test(a_retired_file_is_written_anew),
        cmocka_unit_test(every_mutation_can_fail),
        cmocka_unit_test(paths_and_uris),
        cmocka_unit_test(a_directory_is_locked_once),
        cmocka_unit_test(the_pool_runs_all_tasks_and_reports_the_first_failure),
        cmocka_unit_test(the_pool_serves_several_threads_and_a_forked_child),
        cmocka_unit_test(a_manual_clock_wakes_who_waits),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
