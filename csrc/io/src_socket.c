/*
 * io/src_socket.c - lines from a TCP connection, for trying things out: nothing is kept, nothing is read again.
 *
 * The connection is made when the first batch is planned.  A thread of the source appends lines to a list; the offset
 * is the number of the last line, counted on from where a checkpoint ended.
 */
#include "base/thread.h"
#include "col/build.h"
#include "io/source_int.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 50

typedef struct socket_info {
    ps_source_info info;
    char *host;
    int64_t port;
    bool with_time;
} socket_info;

typedef struct line { char *text; size_t n_bytes; int64_t time_us; } line;

typedef struct socket_source {
    ps_source source;
    socket_info *info;
    ps_clock *clock;
    int fd;               /* -1: not connected yet */
    bool has_thread;
    pthread_t thread;
    atomic_bool stopping;
    ps_lock lock;         /* PS_RANK_SOURCE; guards what follows */
    struct { line *items; int n, capacity; } lines;
    int64_t first;        /* the number of lines.items[0] */
    int64_t frozen;
    bool is_frozen;
    ps_error failure;     /* what the thread ran into */
} socket_source;

/* --- receiving --------------------------------------------------------------------------------------------- */

static ps_status add_line(socket_source *self, const char *text, size_t n_bytes, ps_error *err)
{
    line item = {.n_bytes = n_bytes, .time_us = ps_clock_now_ms(self->clock) * 1000};
    ps_status rc;

    PS_TRY(ps_strndup(text, n_bytes, &item.text, err));
    ps_lock_take(&self->lock);
    rc = PS_PUSH(&self->lines, item, err);
    ps_lock_drop(&self->lock);
    if (rc != PS_OK)
        ps_free(item.text);
    return rc;
}

/* Cuts whole lines off the front of `text`: they end with LF, CR or CRLF. */
static ps_status cut_lines(socket_source *self, ps_bytes *text, bool *after_cr, ps_error *err)
{
    size_t start = 0;

    for (size_t i = 0; i < text->n_bytes; i++) {
        char c = text->data[i];
        if (c == '\n' && *after_cr && i == start) {
            start = i + 1;
        } else if (c == '\n' || c == '\r') {
            PS_TRY(add_line(self, text->data + start, i - start, err));
            start = i + 1;
        }
        *after_cr = c == '\r';
    }
    memmove(text->data, text->data + start, text->n_bytes - start);
    text->n_bytes -= start;
    return PS_OK;
}

static ps_status receive(socket_source *self, ps_bytes *text, ps_error *err)
{
    bool after_cr = false;

    for (;;) {
        ssize_t n;
        PS_TRY(ps_bytes_reserve(text, 1 << 16, err));
        n = recv(self->fd, text->data + text->n_bytes, 1 << 16, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) /* closed, by either side: the query goes on without more data */
            break;
        text->n_bytes += (size_t)n;
        PS_TRY(cut_lines(self, text, &after_cr, err));
    }
    return text->n_bytes > 0 ? add_line(self, text->data, text->n_bytes, err) : PS_OK;
}

static void *receiver(void *arg)
{
    socket_source *self = arg;
    ps_bytes text = {0};
    ps_error err;
    ps_status rc;

    ps_thread_set_name("ps-socket");
    err.code = PS_OK;
    err.foreign = false;
    rc = receive(self, &text, &err);
    ps_bytes_clear(&text);
    if (rc != PS_OK) {
        ps_lock_take(&self->lock);
        self->failure = err;
        ps_lock_drop(&self->lock);
    }
    return NULL;
}

/* --- connecting ------------------------------------------------------------------------------------------------ */

static ps_status refused(const socket_source *self, int error, ps_error *err)
{
    char text[128];

    return ps_raise(err, PS_E_SOCKET, self->info->host, (long long)self->info->port, strerror_r(error, text, sizeof text));
}

/* Waits for a connection under way, in short steps so that a stop is noticed. */
static ps_status wait_connected(socket_source *self, int fd, ps_error *err)
{
    struct pollfd waiting = {.fd = fd, .events = POLLOUT};
    int error = 0, n;
    socklen_t n_error = sizeof error;

    do {
        if (atomic_load(&self->stopping))
            return ps_raise(err, PS_E_CANCELLED);
        n = poll(&waiting, 1, WAIT_MS);
    } while (n == 0 || (n < 0 && errno == EINTR));
    if (n < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n_error) != 0)
        error = errno;
    return error ? refused(self, error, err) : PS_OK;
}

static ps_status connect_to(socket_source *self, const struct addrinfo *address, ps_error *err)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ps_status rc = PS_OK;

    if (fd < 0)
        return refused(self, errno, err);
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0)
        rc = errno == EINPROGRESS ? wait_connected(self, fd, err) : refused(self, errno, err);
    if (rc == PS_OK && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) != 0)
        rc = refused(self, errno, err);
    if (rc != PS_OK) {
        close(fd);
        return rc;
    }
    self->fd = fd;
    return PS_OK;
}

static ps_status start(socket_source *self, ps_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    char port[16];
    ps_status rc;
    int error;

    snprintf(port, sizeof port, "%d", (int)self->info->port);
    if ((error = getaddrinfo(self->info->host, port, &hints, &found)) != 0)
        return ps_raise(err, PS_E_SOCKET, self->info->host, (long long)self->info->port, gai_strerror(error));
    rc = PS_E_SOCKET;
    for (struct addrinfo *a = found; rc != PS_OK && rc != PS_E_CANCELLED && a; a = a->ai_next)
        rc = connect_to(self, a, err);
    freeaddrinfo(found);
    PS_TRY(rc);
    if ((error = pthread_create(&self->thread, NULL, receiver, self)) != 0)
        return refused(self, error, err);
    self->has_thread = true;
    return PS_OK;
}

/* --- one query's source --------------------------------------------------------------------------------------------- */

static int64_t newest(socket_source *self)
{
    int64_t last;

    ps_lock_take(&self->lock);
    last = self->first + self->lines.n - 1;
    ps_lock_drop(&self->lock);
    return last;
}

static ps_status source_latest(ps_source *source, const char *from, ps_read_limit limit, char **to, char **head, ps_error *err)
{
    socket_source *self = (socket_source *)source;
    ps_status rc = PS_OK;

    PS_UNUSED(from);
    PS_UNUSED(limit);
    *to = *head = NULL;
    if (self->fd < 0)
        PS_TRY(start(self, err));
    ps_lock_take(&self->lock);
    if (self->failure.code != PS_OK) {
        rc = self->failure.code;
        *err = self->failure;
    }
    ps_lock_drop(&self->lock);
    PS_TRY(rc);
    PS_TRY(psi_integer_text(self->is_frozen ? self->frozen : newest(self), to, err));
    return ps_strdup(*to, head, err);
}

static ps_status source_freeze(ps_source *source, ps_error *err)
{
    socket_source *self = (socket_source *)source;

    if (self->fd < 0)
        PS_TRY(start(self, err));
    self->is_frozen = true;
    self->frozen = newest(self);
    return PS_OK;
}

/* Lines after..last that are still there; those of an earlier connection are gone.  Under the lock. */
static ps_status build_lines(const socket_source *self, int64_t after, int64_t last, bool time, ps_vec **out, ps_error *err)
{
    int64_t start = after + 1 < self->first ? self->first : after + 1;
    ps_builder *b;
    ps_status rc = PS_OK;

    PS_TRY(ps_build_new(ps_type_of(time ? PS_TIMESTAMP : PS_STRING), 16, &b, err));
    for (int64_t i = start; i <= last && i - self->first < self->lines.n; i++) {
        const line *item = &self->lines.items[i - self->first];
        PS_TRY_OR(done, time ? ps_build_int(b, item->time_us, err) : ps_build_text(b, item->text, item->n_bytes, err));
    }
done:
    return ps_build_end(b, rc, out, err);
}

static int64_t count_lines(const socket_source *self, int64_t after, int64_t last)
{
    int64_t start = after + 1 < self->first ? self->first : after + 1;
    int64_t end = last < self->first + self->lines.n ? last : self->first + self->lines.n - 1;

    return end < start ? 0 : end - start + 1;
}

static ps_status source_read(ps_source *source, const char *from, const char *to, const bool *wanted, ps_scan **out, ps_error *err)
{
    socket_source *self = (socket_source *)source;
    ps_batches list = {0};
    ps_batch *batch = NULL;
    int64_t after, last;
    int n_columns = self->info->with_time ? 2 : 1, n_wanted = 0, at = 0;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_offset_integer(from, -1, "socket", &after, err));
    PS_TRY(psi_offset_integer(to, -1, "socket", &last, err));
    for (int i = 0; i < n_columns; i++)
        n_wanted += wanted[i];
    ps_lock_take(&self->lock);
    rc = ps_batch_new(n_wanted, count_lines(self, after, last), &batch, err);
    for (int i = 0; rc == PS_OK && i < n_columns; i++)
        if (wanted[i])
            rc = build_lines(self, after, last, i == 1, &batch->cols[at++], err);
    ps_lock_drop(&self->lock);
    if (rc == PS_OK && batch->n_rows > 0)
        rc = ps_batches_add(&list, batch, err);
    ps_batch_unref(batch);
    if (rc == PS_OK)
        rc = psi_batch_scan_new(&list, out, err);
    ps_batches_clear(&list);
    return rc;
}

static ps_status source_commit(ps_source *source, const char *to, ps_error *err)
{
    socket_source *self = (socket_source *)source;
    int64_t last;
    int n = 0;

    PS_TRY(psi_offset_integer(to, -1, "socket", &last, err));
    ps_lock_take(&self->lock);
    while (n < self->lines.n && self->first + n <= last)
        ps_free(self->lines.items[n++].text);
    if (n > 0)
        memmove(self->lines.items, self->lines.items + n, (size_t)(self->lines.n - n) * sizeof *self->lines.items);
    self->lines.n -= n;
    self->first += n;
    ps_lock_drop(&self->lock);
    return PS_OK;
}

/* Numbers go on from the last logged one; lines that were lost stay lost. */
static ps_status source_seen(ps_source *source, const char *to, ps_error *err)
{
    socket_source *self = (socket_source *)source;
    int64_t last;

    PS_TRY(psi_offset_integer(to, -1, "socket", &last, err));
    self->first = last + 1;
    return PS_OK;
}

static void source_interrupt(ps_source *source) { atomic_store(&((socket_source *)source)->stopping, true); }

static void source_close(ps_source *source)
{
    socket_source *self = (socket_source *)source;

    if (self->fd >= 0)
        shutdown(self->fd, SHUT_RDWR); /* ends the receiver's wait */
    if (self->has_thread)
        pthread_join(self->thread, NULL);
    if (self->fd >= 0)
        close(self->fd);
    for (int i = 0; i < self->lines.n; i++)
        ps_free(self->lines.items[i].text);
    ps_free(self->lines.items);
    ps_lock_clear(&self->lock);
    ps_source_info_unref(&self->info->info);
    ps_free(source->description);
    ps_free(self);
}

static ps_status info_open(ps_source_info *info, const ps_source_open_args *args, ps_source **out, ps_error *err)
{
    static const ps_source_vt vt = {.latest = source_latest, .freeze = source_freeze, .read = source_read, .commit = source_commit,
                                    .seen = source_seen, .canonical = psi_integer_canonical, .interrupt = source_interrupt,
                                    .close = source_close};
    socket_source *self;
    ps_bytes text = {0};
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->source.vt = &vt;
    self->info = (socket_info *)info;
    ps_source_info_ref(info);
    self->clock = args->clock;
    self->fd = -1;
    ps_lock_init(&self->lock, PS_RANK_SOURCE);
    PS_TRY_OR(fail, ps_bytes_printf(&text, err, "TextSocketV2[host: %s, port: %lld]", self->info->host, (long long)self->info->port));
    self->source.description = ps_bytes_take(&text);
    *out = &self->source;
    return PS_OK;
fail:
    source_close(&self->source);
    return rc;
}

/* --- describing --------------------------------------------------------------------------------------------------------- */

static void info_free(ps_source_info *info)
{
    ps_free(((socket_info *)info)->host);
    ps_free(info);
}

static ps_status read_options(socket_info *self, const ps_options *options, ps_error *err)
{
    const char *host = ps_options_get(options, "host"), *time = ps_options_get(options, "includeTimestamp");

    if (!host)
        return ps_raise(err, PS_E_SOCKET_HOST);
    if (!ps_options_get(options, "port"))
        return ps_raise(err, PS_E_SOCKET_PORT);
    self->with_time = time && ps_stricmp(time, "true") == 0;
    if (time && !self->with_time && ps_stricmp(time, "false") != 0)
        return ps_raise(err, PS_E_SOCKET_TIME);
    PS_TRY(psi_option_long(options, "port", 0, &self->port, err));
    if (self->port < 0 || self->port > 65535)
        return ps_raise(err, PS_E_OPTION_VALUE, ps_options_get(options, "port"), "port", "between 0 and 65535");
    return ps_strdup(host, &self->host, err);
}

ps_status psi_socket_describe(const ps_source_request *request, ps_source_info **out, ps_error *err)
{
    static const ps_source_info_vt vt = {.open = info_open, .free = info_free};
    static const char *const names[] = {"value", "timestamp"};
    static const ps_kind kinds[] = {PS_STRING, PS_TIMESTAMP};
    const ps_type *schema = NULL;
    socket_info *self;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_refuse_schema(request, "TextSocketSourceProvider", err));
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    PS_TRY_OR(fail, read_options(self, request->options, err));
    PS_TRY_OR(fail, psi_columns(names, kinds, self->with_time ? 2 : 1, &schema, err));
    rc = psi_info_init(&self->info, &vt, "TextSocketV2", schema, err);
    if (rc == PS_OK) {
        *out = &self->info;
        return PS_OK;
    }
    ps_type_unref(schema);
fail:
    info_free(&self->info);
    return rc;
}
