/*
 * col/text_table.c - df.show() and the console sink: rows as a table of text, or a record per row.
 *
 * All cells are written into one buffer first, as their widths decide the layout.  Lengths are counted as
 * Java does, in UTF-16 units; a full-width character takes two columns.
 */
#include "col/text_int.h"
#include "base/utf8.h"

typedef struct cell { size_t start, n_bytes; int64_t width; } cell;
typedef struct table {
    const ps_show *show;
    int64_t n_rows, n_cols;
    cell *cells; /* names first, then row by row */
    ps_bytes text;
    ps_error *err;
} table;

/* ---- characters ---- */

static bool is_full_width(uint32_t c)
{
    static const struct { uint32_t first, last; } ranges[] = {
        {0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff},
        {0xfe10, 0xfe19}, {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}};

    for (size_t i = 0; i < PS_COUNT_OF(ranges); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

/* Bytes of the first `most` UTF-16 units; *units and *width of all that was passed over. */
static size_t measure(ps_slice text, int64_t most, int64_t *units, int64_t *width)
{
    size_t at = 0, n;

    *units = *width = 0;
    while (at < text.n_bytes) {
        uint32_t c = ps_utf8_decode(text, at, &n);
        int64_t u = c > 0xffff ? 2 : 1;
        if (*units + u > most)
            break;
        *units += u;
        *width += u + is_full_width(c);
        at += n;
    }
    return at;
}

/* ---- cells ---- */

/* Replaces control characters in what was written from `start` on. */
static ps_status escape(table *t, size_t start)
{
    static const char special[] = "\n\r\t\f\b\v\a", letters[] = "nrtfbva";
    size_t n_extra = 0, n = t->text.n_bytes;

    for (size_t i = start; i < n; i++)
        n_extra += t->text.data[i] != '\0' && strchr(special, t->text.data[i]) != NULL;
    if (n_extra == 0)
        return PS_OK;
    PS_TRY(ps_bytes_reserve(&t->text, n_extra, t->err));
    t->text.n_bytes += n_extra;
    for (size_t i = n, to = n + n_extra; i-- > start;) { /* from the end, in place */
        char c = t->text.data[i];
        const char *at = c != '\0' ? strchr(special, c) : NULL;
        t->text.data[--to] = at ? letters[at - special] : c;
        if (at)
            t->text.data[--to] = '\\';
    }
    return PS_OK;
}

/* Ends the cell begun at `start`: escaped, cut, measured. */
static ps_status end_cell(table *t, cell *c, size_t start, int truncate)
{
    int64_t units, all;
    size_t n;

    PS_TRY(escape(t, start));
    c->start = start;
    c->n_bytes = t->text.n_bytes - start;
    measure((ps_slice){t->text.data + start, c->n_bytes}, INT64_MAX, &all, &c->width);
    if (truncate <= 0 || all <= truncate)
        return PS_OK;
    n = measure((ps_slice){t->text.data + start, c->n_bytes}, truncate < 4 ? truncate : truncate - 3, &units, &c->width);
    t->text.n_bytes = start + n;
    if (truncate >= 4) {
        PS_TRY(ps_bytes_text(&t->text, "...", t->err));
        c->width += 3;
    }
    c->n_bytes = t->text.n_bytes - start;
    return PS_OK;
}

static ps_status fill_cells(table *t)
{
    const ps_show *show = t->show;
    ps_rows rows = ps_batch_live(show->batch);
    cell *c = t->cells;

    PS_TRY(ps_bytes_reserve(&t->text, 64, t->err));
    for (int64_t i = 0; i < t->n_cols; i++) {
        size_t start = t->text.n_bytes;
        PS_TRY(ps_bytes_text(&t->text, show->names[i], t->err));
        PS_TRY(end_cell(t, c++, start, 0));
    }
    for (int64_t row = 0; row < t->n_rows; row++) {
        for (int64_t i = 0; i < t->n_cols; i++) {
            size_t start = t->text.n_bytes;
            PS_TRY(psi_text_shown(show->batch->cols[i], ps_row(&rows, row), show->zone, &t->text, t->err));
            PS_TRY(end_cell(t, c++, start, show->truncate));
        }
    }
    return PS_OK;
}

/* ---- layout ---- */

static ps_status put_repeated(ps_bytes *out, char c, int64_t n, ps_error *err)
{
    for (; n > 0; n--)
        PS_TRY(ps_bytes_char(out, c, err));
    return PS_OK;
}

static ps_status put_cell(const table *t, const cell *c, int64_t width, bool right, ps_bytes *out)
{
    if (right)
        PS_TRY(put_repeated(out, ' ', width - c->width, t->err));
    PS_TRY(ps_bytes_append(out, t->text.data + c->start, c->n_bytes, t->err));
    return right ? PS_OK : put_repeated(out, ' ', width - c->width, t->err);
}

/* The widest of cells first, first + step, ... (n of them), at least 3. */
static int64_t widest(const cell *first, int64_t step, int64_t n)
{
    int64_t most = 3;

    for (int64_t i = 0; i < n; i++)
        most = first[i * step].width > most ? first[i * step].width : most;
    return most;
}

static ps_status put_rule(const table *t, const int64_t *widths, ps_bytes *out)
{
    PS_TRY(ps_bytes_char(out, '+', t->err));
    for (int64_t i = 0; i < t->n_cols; i++) {
        if (i > 0)
            PS_TRY(ps_bytes_char(out, '+', t->err));
        PS_TRY(put_repeated(out, '-', widths[i], t->err));
    }
    return ps_bytes_text(out, "+\n", t->err);
}

static ps_status put_row(const table *t, const cell *cells, const int64_t *widths, ps_bytes *out)
{
    PS_TRY(ps_bytes_char(out, '|', t->err));
    for (int64_t i = 0; i < t->n_cols; i++) {
        if (i > 0)
            PS_TRY(ps_bytes_char(out, '|', t->err));
        PS_TRY(put_cell(t, &cells[i], widths[i], t->show->truncate > 0, out));
    }
    return ps_bytes_text(out, "|\n", t->err);
}

static ps_status put_table(const table *t, ps_bytes *out)
{
    int64_t *widths;
    ps_status rc;

    PS_TRY(ps_alloc((size_t)t->n_cols * sizeof *widths, &widths, t->err));
    for (int64_t i = 0; i < t->n_cols; i++)
        widths[i] = widest(t->cells + i, t->n_cols, t->n_rows + 1);
    PS_TRY_OR(done, put_rule(t, widths, out));
    PS_TRY_OR(done, put_row(t, t->cells, widths, out));
    PS_TRY_OR(done, put_rule(t, widths, out));
    for (int64_t row = 1; row <= t->n_rows; row++)
        PS_TRY_OR(done, put_row(t, t->cells + row * t->n_cols, widths, out));
    rc = put_rule(t, widths, out);
done:
    ps_free(widths);
    return rc;
}

static ps_status put_records(const table *t, ps_bytes *out)
{
    int64_t names = widest(t->cells, 1, t->n_cols);
    int64_t values = widest(t->cells + t->n_cols, 1, t->n_rows * t->n_cols);

    for (int64_t row = 0; row < t->n_rows; row++) {
        size_t start = out->n_bytes;
        PS_TRY(ps_bytes_printf(out, t->err, "-RECORD %lld", (long long)row));
        PS_TRY(put_repeated(out, '-', names + values + 5 - (int64_t)(out->n_bytes - start), t->err));
        PS_TRY(ps_bytes_char(out, '\n', t->err));
        for (int64_t i = 0; i < t->n_cols; i++) {
            PS_TRY(ps_bytes_char(out, ' ', t->err));
            PS_TRY(put_cell(t, &t->cells[i], names, false, out));
            PS_TRY(ps_bytes_text(out, " | ", t->err));
            PS_TRY(put_cell(t, &t->cells[(row + 1) * t->n_cols + i], values, false, out));
            PS_TRY(ps_bytes_text(out, " \n", t->err));
        }
    }
    return PS_OK;
}

ps_status ps_text_table(const ps_show *show, ps_bytes *out, ps_error *err)
{
    int64_t n = show->n > 0 ? show->n : 0;
    table t = {.show = show, .n_cols = show->batch->n_cols, .err = err};
    ps_status rc;

    t.n_rows = n < show->batch->n_sel ? n : show->batch->n_sel;
    PS_TRY(ps_alloc((size_t)(t.n_rows + 1) * (size_t)t.n_cols * sizeof *t.cells, &t.cells, err));
    PS_TRY_OR(done, fill_cells(&t));
    PS_TRY_OR(done, show->vertical ? put_records(&t, out) : put_table(&t, out));
    if (show->vertical && t.n_rows == 0)
        rc = ps_bytes_text(out, "(0 rows)", err);
    else if (show->more)
        rc = ps_bytes_printf(out, err, "only showing top %lld %s", (long long)n, n == 1 ? "row" : "rows");
done:
    ps_bytes_clear(&t.text);
    ps_free(t.cells);
    return rc;
}
