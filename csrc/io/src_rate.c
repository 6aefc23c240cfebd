/*
 * io/src_rate.c - numbers at a rate: so many a second of the clock ("rate"), or so many a batch ("rate-micro-batch").
 *
 * A range of offsets fixes the numbers and their times, so both can be read again after a crash.  The clock starts when
 * the source is made; that moment is kept in the checkpoint, which makes a restarted query go on counting.
 */
#include "base/json.h"
#include "base/thread.h"
#include "col/vec.h"
#include "io/source_int.h"
#include "log/seqlog.h"
#include <math.h>

typedef struct rate_info {
    ps_source_info info;
    int64_t rows;         /* per second, or per batch */
    int64_t ramp_up;      /* rate: seconds */
    int64_t start_ms, advance_ms; /* rate-micro-batch */
    int64_t n_partitions; /* 0: as many as there are processors */
} rate_info;

typedef struct rate_source {
    ps_source source;
    rate_info *info;
    ps_clock *clock;
    int64_t created_ms, last_ms; /* rate */
    char *frozen;                /* the last offset of an available-now run, NULL: not known yet */
    bool is_frozen;
} rate_source;

static void source_close(ps_source *source)
{
    rate_source *self = (rate_source *)source;

    ps_source_info_unref(&self->info->info);
    ps_free(self->frozen);
    ps_free(source->description);
    ps_free(self);
}

/* --- reading: partition p of P gives start + p, start + p + P, ... ---------------------------------------------- */

typedef struct rate_scan {
    ps_scan scan;
    int64_t start, end;    /* values */
    int64_t start_ms;      /* the time of the first */
    double ms_per_value;
    bool wanted[2];        /* timestamp, value */
} rate_scan;
typedef struct rate_cursor {
    ps_cursor cursor;
    const rate_scan *scan;
    int64_t next, left;    /* value; how many */
} rate_cursor;

static ps_status cursor_seek(ps_cursor *cursor, int64_t slice, ps_error *err)
{
    rate_cursor *self = (rate_cursor *)cursor;
    const rate_scan *scan = self->scan;

    PS_UNUSED(err);
    self->next = scan->start + slice;
    self->left = (scan->end - scan->start - slice + scan->scan.n_slices - 1) / scan->scan.n_slices;
    return PS_OK;
}

static void fill(const rate_cursor *self, bool time, int64_t *data, int64_t n)
{
    const rate_scan *scan = self->scan;

    for (int64_t i = 0; i < n; i++) {
        int64_t value = self->next + i * scan->scan.n_slices;
        data[i] = time ? (scan->start_ms + (int64_t)floor((double)(value - scan->start) * scan->ms_per_value + 0.5)) * 1000 : value;
    }
}

static ps_status cursor_next(ps_cursor *cursor, ps_batch **out, ps_error *err)
{
    rate_cursor *self = (rate_cursor *)cursor;
    const bool *wanted = self->scan->wanted;
    int64_t n = self->left < ps_batch_rows ? self->left : ps_batch_rows;
    ps_batch *batch;
    int at = 0;

    *out = NULL;
    if (n == 0)
        return PS_OK;
    PS_TRY(ps_batch_new(wanted[0] + wanted[1], n, &batch, err));
    for (int i = 0; i < 2; i++) {
        ps_status rc;
        if (!wanted[i])
            continue;
        rc = ps_vec_new(ps_type_of(i == 0 ? PS_TIMESTAMP : PS_INT64), n, false, &batch->cols[at], err);
        if (rc != PS_OK) {
            ps_batch_unref(batch);
            return rc;
        }
        fill(self, i == 0, batch->cols[at++]->data, n);
    }
    self->next += n * self->scan->scan.n_slices;
    self->left -= n;
    *out = batch;
    return PS_OK;
}

static void cursor_free(ps_cursor *cursor) { ps_free(cursor); }

static ps_status scan_cursor(ps_scan *scan, ps_cursor **out, ps_error *err)
{
    static const ps_cursor_vt vt = {cursor_seek, cursor_next, cursor_free};
    rate_cursor *self;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->cursor.vt = &vt;
    self->scan = (rate_scan *)scan;
    *out = &self->cursor;
    return PS_OK;
}

static void scan_free(ps_scan *scan) { ps_free(scan); }

static ps_status make_scan(const rate_source *source, const rate_scan *range, const bool *wanted, ps_scan **out, ps_error *err)
{
    static const ps_scan_vt vt = {scan_cursor, scan_free};
    int64_t n_partitions = source->info->n_partitions ? source->info->n_partitions : ps_cpu_count(), n = range->end - range->start;
    rate_scan *self;

    PS_TRY(ps_alloc(sizeof *self, &self, err));
    *self = *range;
    self->scan = (ps_scan){&vt, n <= 0 ? 0 : n < n_partitions ? n : n_partitions};
    memcpy(self->wanted, wanted, sizeof self->wanted);
    *out = &self->scan;
    return PS_OK;
}

/* --- rate ---------------------------------------------------------------------------------------------------------- */

/* The value that second s ends before; grows by rows / (ramp_up + 1) each second until the full rate is reached.
 * The caller checked that rows * s does not overflow. */
static int64_t value_at(const rate_info *info, int64_t s)
{
    int64_t step = info->rows / (info->ramp_up + 1), ramp = s < info->ramp_up ? s : info->ramp_up;
    int64_t sum = ramp % 2 ? (ramp + 1) / 2 * ramp : ramp / 2 * (ramp + 1);

    return sum * step + (s - ramp) * info->rows;
}

static ps_status rate_read(ps_source *source, const char *from, const char *to, const bool *wanted, ps_scan **out, ps_error *err)
{
    rate_source *self = (rate_source *)source;
    int64_t a, b, most = INT64_MAX / self->info->rows;
    rate_scan range;

    *out = NULL;
    PS_TRY(psi_offset_integer(from, 0, "rate", &a, err));
    PS_TRY(psi_offset_integer(to, 0, "rate", &b, err));
    if (b > most)
        return ps_raise(err, PS_E_RATE_END, (long long)self->info->rows, (long long)most, (long long)b);
    if (a < 0 || b < a || b > INT64_MAX / 4000000)
        return ps_raise(err, PS_E_OFFSET_TEXT, to, "rate");
    range = (rate_scan){.start = value_at(self->info, a), .end = value_at(self->info, b), .start_ms = self->created_ms + a * 1000};
    if (range.end > range.start)
        range.ms_per_value = (double)((b - a) * 1000) / (double)(range.end - range.start);
    return make_scan(self, &range, wanted, out, err);
}

static ps_status seconds_now(rate_source *self, char **out, ps_error *err)
{
    int64_t now = ps_clock_now_ms(self->clock);

    if (now > self->last_ms)
        self->last_ms = now;
    return psi_integer_text((self->last_ms - self->created_ms) / 1000, out, err);
}

static ps_status rate_latest(ps_source *source, const char *from, ps_read_limit limit, char **to, char **head, ps_error *err)
{
    rate_source *self = (rate_source *)source;

    PS_UNUSED(from);
    PS_UNUSED(limit);
    *to = *head = NULL;
    if (self->is_frozen)
        PS_TRY(ps_strdup(self->frozen, to, err));
    else
        PS_TRY(seconds_now(self, to, err));
    return ps_strdup(*to, head, err);
}

static ps_status rate_freeze(ps_source *source, ps_error *err)
{
    rate_source *self = (rate_source *)source;

    ps_free(self->frozen);
    self->frozen = NULL;
    self->is_frozen = true;
    return seconds_now(self, &self->frozen, err);
}

static ps_status no_commit(ps_source *source, const char *to, ps_error *err)
{
    PS_UNUSED(source);
    PS_UNUSED(to);
    PS_UNUSED(err);
    return PS_OK;
}

/* Reads when the source was first made, or writes that it is now: sources/<i>/0. */
static ps_status keep_creation_time(rate_source *self, const ps_source_open_args *args, ps_error *err)
{
    ps_seqlog *log = NULL;
    ps_bytes text = {0};
    ps_slice line;
    ps_lines lines;
    int version;
    bool found;
    char number[32];
    ps_status rc;

    PS_TRY_OR(done, ps_seqlog_open(args->fs, args->checkpoint_dir, args->sync, &log, err));
    PS_TRY_OR(done, ps_seqlog_get(log, 0, &text, &found, err));
    if (!found) {
        self->created_ms = ps_clock_now_ms(self->clock);
        PS_TRY_OR(done, ps_bytes_printf(&text, err, "v1\n%lld", (long long)self->created_ms));
        rc = ps_seqlog_add(log, 0, ps_bytes_slice(&text), err);
        goto done;
    }
    lines = ps_lines_of(ps_bytes_slice(&text));
    PS_TRY_OR(done, ps_lines_version(&lines, args->checkpoint_dir, 1, &version, err));
    if (!ps_lines_next(&lines, &line) || line.n_bytes >= sizeof number) {
        rc = ps_raise(err, PS_E_LOG_INCOMPLETE, args->checkpoint_dir);
        goto done;
    }
    memcpy(number, line.data, line.n_bytes);
    number[line.n_bytes] = '\0';
    if (!ps_parse_int(number, &self->created_ms) || self->created_ms < 0 || self->created_ms > INT64_MAX / 4000)
        rc = ps_raise(err, PS_E_LOG_INCOMPLETE, args->checkpoint_dir);
done:
    ps_bytes_clear(&text);
    ps_seqlog_close(log);
    return rc;
}

static ps_status partitions_text(const rate_info *info, ps_bytes *out, ps_error *err)
{
    if (!info->n_partitions)
        return ps_bytes_text(out, "default", err);
    return ps_bytes_printf(out, err, "%lld", (long long)info->n_partitions);
}

static ps_status open_source(ps_source_info *info, const ps_source_open_args *args, const ps_source_vt *vt, rate_source **out, ps_error *err)
{
    rate_source *self;

    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->source.vt = vt;
    self->info = (rate_info *)info;
    ps_source_info_ref(info);
    self->clock = args->clock;
    *out = self;
    return PS_OK;
}

static ps_status rate_open(ps_source_info *info, const ps_source_open_args *args, ps_source **out, ps_error *err)
{
    static const ps_source_vt vt = {.latest = rate_latest, .freeze = rate_freeze, .read = rate_read, .commit = no_commit,
                                    .canonical = psi_integer_canonical, .close = source_close};
    const rate_info *from = (rate_info *)info;
    ps_bytes text = {0};
    rate_source *self;
    ps_status rc;

    *out = NULL;
    PS_TRY(open_source(info, args, &vt, &self, err));
    /* Spark leaves the bracket open. */
    PS_TRY_OR(fail, ps_bytes_printf(&text, err, "RateStreamV2[rowsPerSecond=%lld, rampUpTimeSeconds=%lld, numPartitions=",
                                    (long long)from->rows, (long long)from->ramp_up));
    PS_TRY_OR(fail, partitions_text(from, &text, err));
    self->source.description = ps_bytes_take(&text);
    if (from->ramp_up > INT64_MAX / from->rows) {
        rc = ps_raise(err, PS_E_RATE_RAMP_UP, (long long)from->rows, (long long)(INT64_MAX / from->rows), (long long)from->ramp_up);
        goto fail;
    }
    PS_TRY_OR(fail, keep_creation_time(self, args, err));
    *out = &self->source;
    return PS_OK;
fail:
    ps_bytes_clear(&text);
    source_close(&self->source);
    return rc;
}

/* --- rate-micro-batch --------------------------------------------------------------------------------------------------- */

typedef struct batch_offset { int64_t rows, ms; } batch_offset;

static ps_status batch_offset_of(const rate_info *info, const char *text, batch_offset *out, ps_error *err)
{
    ps_arena arena = {0};
    ps_json *root;
    ps_status rc;

    *out = (batch_offset){0, info->start_ms};
    if (!text)
        return PS_OK;
    rc = ps_json_parse(ps_slice_of(text), &arena, &root, err);
    if (rc == PS_OK && (!ps_json_int(ps_json_get(root, "offset"), &out->rows) || !ps_json_int(ps_json_get(root, "timestamp"), &out->ms)))
        rc = ps_raise(err, PS_E_OFFSET_TEXT, text, "rate-micro-batch");
    ps_arena_clear(&arena);
    return rc;
}

static ps_status batch_offset_text(batch_offset offset, char **out, ps_error *err)
{
    ps_bytes text = {0};

    PS_TRY(ps_bytes_printf(&text, err, "{\"offset\":%lld,\"timestamp\":%lld}", (long long)offset.rows, (long long)offset.ms));
    *out = ps_bytes_take(&text);
    return PS_OK;
}

static ps_status batch_latest(ps_source *source, const char *from, ps_read_limit limit, char **to, char **head, ps_error *err)
{
    rate_source *self = (rate_source *)source;
    const rate_info *info = self->info;
    batch_offset offset;

    PS_UNUSED(limit);
    *to = *head = NULL;
    if (self->frozen)
        return ps_strdup(self->frozen, to, err);
    PS_TRY(batch_offset_of(info, from, &offset, err));
    if (__builtin_add_overflow(offset.rows, info->rows, &offset.rows) || __builtin_add_overflow(offset.ms, info->advance_ms, &offset.ms))
        return ps_raise(err, PS_E_RATE_ENDED);
    if (self->is_frozen)
        PS_TRY(batch_offset_text(offset, &self->frozen, err));
    return batch_offset_text(offset, to, err);
}

static ps_status batch_freeze(ps_source *source, ps_error *err)
{
    PS_UNUSED(err);
    ((rate_source *)source)->is_frozen = true; /* the batch that comes next is the last */
    return PS_OK;
}

static ps_status batch_read(ps_source *source, const char *from, const char *to, const bool *wanted, ps_scan **out, ps_error *err)
{
    rate_source *self = (rate_source *)source;
    batch_offset a, b;
    rate_scan range;

    *out = NULL;
    PS_TRY(batch_offset_of(self->info, from, &a, err));
    PS_TRY(batch_offset_of(self->info, to, &b, err));
    if (a.rows < 0 || b.rows < a.rows || a.ms < 0 || a.ms > INT64_MAX / 1000)
        return ps_raise(err, PS_E_OFFSET_TEXT, to, "rate-micro-batch");
    range = (rate_scan){.start = a.rows, .end = b.rows, .start_ms = a.ms};
    return make_scan(self, &range, wanted, out, err);
}

static ps_status batch_canonical(ps_source *source, const char *text, char **out, ps_error *err)
{
    batch_offset offset;

    *out = NULL;
    PS_TRY(batch_offset_of(((rate_source *)source)->info, text, &offset, err));
    return batch_offset_text(offset, out, err);
}

static ps_status batch_open(ps_source_info *info, const ps_source_open_args *args, ps_source **out, ps_error *err)
{
    static const ps_source_vt vt = {.latest = batch_latest, .freeze = batch_freeze, .read = batch_read, .commit = no_commit,
                                    .canonical = batch_canonical, .close = source_close};
    const rate_info *from = (rate_info *)info;
    ps_bytes text = {0};
    rate_source *self;
    ps_status rc;

    *out = NULL;
    PS_TRY(open_source(info, args, &vt, &self, err));
    PS_TRY_OR(fail, ps_bytes_printf(&text, err, "RatePerMicroBatchStream[rowsPerBatch=%lld, numPartitions=", (long long)from->rows));
    PS_TRY_OR(fail, ps_bytes_printf(&text, err, "%lld", (long long)(from->n_partitions ? from->n_partitions : ps_cpu_count())));
    PS_TRY_OR(fail, ps_bytes_printf(&text, err, ", startTimestamp=%lld, advanceMsPerBatch=%lld]", (long long)from->start_ms,
                                    (long long)from->advance_ms));
    self->source.description = ps_bytes_take(&text);
    *out = &self->source;
    return PS_OK;
fail:
    ps_bytes_clear(&text);
    source_close(&self->source);
    return rc;
}

/* --- describing ------------------------------------------------------------------------------------------------------------ */

static void info_free(ps_source_info *info) { ps_free(info); }

static ps_status check(bool ok, ps_status code, const ps_options *options, const char *key, const char *fallback, ps_error *err)
{
    const char *text = ps_options_get(options, key);

    return ok ? PS_OK : ps_raise(err, code, text ? text : fallback, key);
}

static ps_status read_partitions(rate_info *info, const ps_options *options, ps_error *err)
{
    PS_TRY(psi_option_long(options, "numPartitions", 1, &info->n_partitions, err));
    PS_TRY(check(info->n_partitions > 0 && info->n_partitions <= INT32_MAX, PS_E_OPTION_POSITIVE, options, "numPartitions", "", err));
    if (!ps_options_get(options, "numPartitions"))
        info->n_partitions = 0;
    return PS_OK;
}

/* Whole seconds; a bare number is one. */
static ps_status read_ramp_up(rate_info *info, const ps_options *options, ps_error *err)
{
    const char *text = ps_options_get(options, "rampUpTime");
    int64_t ms;

    if (!text || ps_parse_int(text, &info->ramp_up))
        return check(info->ramp_up >= 0, PS_E_OPTION_NEGATIVE, options, "rampUpTime", "", err);
    if (text[0] == '-' && ps_parse_duration_ms(text + 1, &ms))
        return ps_raise(err, PS_E_OPTION_NEGATIVE, text, "rampUpTime");
    if (!ps_parse_duration_ms(text, &ms))
        return ps_raise(err, PS_E_DURATION_NUMBER, text);
    info->ramp_up = ms / 1000;
    return check(info->ramp_up >= 0, PS_E_OPTION_NEGATIVE, options, "rampUpTime", "", err);
}

static ps_status read_rate_options(rate_info *info, const ps_options *options, ps_error *err)
{
    PS_TRY(psi_option_long(options, "rowsPerSecond", 1, &info->rows, err));
    PS_TRY(check(info->rows > 0, PS_E_OPTION_POSITIVE, options, "rowsPerSecond", "", err));
    PS_TRY(read_ramp_up(info, options, err));
    return read_partitions(info, options, err);
}

static ps_status read_batch_options(rate_info *info, const ps_options *options, ps_error *err)
{
    PS_TRY(psi_option_long(options, "rowsPerBatch", 0, &info->rows, err));
    PS_TRY(check(info->rows > 0, PS_E_OPTION_POSITIVE, options, "rowsPerBatch", "0", err));
    PS_TRY(read_partitions(info, options, err));
    PS_TRY(psi_option_long(options, "startTimestamp", 0, &info->start_ms, err));
    PS_TRY(check(info->start_ms >= 0, PS_E_OPTION_NEGATIVE, options, "startTimestamp", "", err));
    PS_TRY(psi_option_long(options, "advanceMillisPerBatch", 1000, &info->advance_ms, err));
    return check(info->advance_ms >= 0, PS_E_OPTION_NEGATIVE, options, "advanceMillisPerBatch", "", err);
}

static ps_status describe(const ps_source_request *request, const char *name, const ps_source_info_vt *vt, bool per_batch,
                          ps_source_info **out, ps_error *err)
{
    static const char *const names[] = {"timestamp", "value"};
    static const ps_kind kinds[] = {PS_TIMESTAMP, PS_INT64};
    const ps_type *schema;
    rate_info *self;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_columns(names, kinds, 2, &schema, err));
    if ((rc = ps_alloc0(sizeof *self, &self, err)) != PS_OK) {
        ps_type_unref(schema);
        return rc;
    }
    PS_TRY_OR(fail, psi_info_init(&self->info, vt, name, schema, err));
    PS_TRY_OR(fail, per_batch ? read_batch_options(self, request->options, err) : read_rate_options(self, request->options, err));
    *out = &self->info;
    return PS_OK;
fail:
    ps_source_info_unref(&self->info);
    return rc;
}

ps_status psi_rate_describe(const ps_source_request *request, ps_source_info **out, ps_error *err)
{
    static const ps_source_info_vt vt = {.open = rate_open, .free = info_free};

    *out = NULL;
    PS_TRY(psi_refuse_schema(request, "RateStreamProvider", err));
    return describe(request, "RateStreamV2", &vt, false, out, err);
}

ps_status psi_rate_batch_describe(const ps_source_request *request, ps_source_info **out, ps_error *err)
{
    static const ps_source_info_vt vt = {.open = batch_open, .free = info_free};

    *out = NULL;
    PS_TRY(psi_refuse_schema(request, "RatePerMicroBatchProvider", err));
    return describe(request, "RatePerMicroBatchStream", &vt, true, out, err);
}
