/*
 * io/batch_scan.c - a scan of rows that are in memory already: a slice per batch, given in pieces of ps_batch_rows.
 */
#include "io/source_int.h"

typedef struct batch_scan {
    ps_scan scan;
    ps_batches batches;
} batch_scan;

typedef struct batch_cursor {
    ps_cursor cursor;
    batch_scan *scan;
    ps_batch *batch; /* of the slice; borrowed */
    int64_t start;   /* the first live row not given yet */
} batch_cursor;

static ps_status cursor_seek(ps_cursor *cursor, int64_t slice, ps_error *err)
{
    batch_cursor *self = (batch_cursor *)cursor;

    PS_UNUSED(err);
    self->batch = self->scan->batches.items[slice];
    self->start = 0;
    return PS_OK;
}

static ps_status cursor_next(ps_cursor *cursor, ps_batch **out, ps_error *err)
{
    batch_cursor *self = (batch_cursor *)cursor;
    int64_t left = self->batch->n_sel - self->start, n = left < ps_batch_rows ? left : ps_batch_rows;

    *out = NULL;
    if (n == 0)
        return PS_OK;
    PS_TRY(ps_batch_slice(self->batch, self->start, n, out, err));
    self->start += n;
    return PS_OK;
}

static void cursor_free(ps_cursor *cursor) { ps_free(cursor); }

static ps_status scan_cursor(ps_scan *scan, ps_cursor **out, ps_error *err)
{
    static const ps_cursor_vt vt = {cursor_seek, cursor_next, cursor_free};
    batch_cursor *self;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->cursor.vt = &vt;
    self->scan = (batch_scan *)scan;
    *out = &self->cursor;
    return PS_OK;
}

static void scan_free(ps_scan *scan)
{
    ps_batches_clear(&((batch_scan *)scan)->batches);
    ps_free(scan);
}

ps_status psi_batch_scan_new(ps_batches *list, ps_scan **out, ps_error *err)
{
    static const ps_scan_vt vt = {scan_cursor, scan_free};
    batch_scan *self;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *self, &self, err));
    self->scan = (ps_scan){&vt, list->n};
    self->batches = *list;
    *list = (ps_batches){0};
    *out = &self->scan;
    return PS_OK;
}
