/*
 * col/build.h - building a column value by value.
 *
 * A builder is for one thread.  Its fields are open to hot loops that reserve first and then write
 * `data[n++]` themselves; everybody else calls the functions.  Strings are copied into chunks that the
 * finished vector pins; ps_build_view() appends a view of memory that the caller pins itself (ps_build_pin).
 * Nested: an array is ps_build_list(), then its elements appended to ps_build_child(b, 0); a map likewise with two
 * children; a struct value is ps_build_struct() and one value appended to every child.
 */
#ifndef PS_COL_BUILD_H
#define PS_COL_BUILD_H
#include "col/batch.h"

typedef struct ps_builder ps_builder;
struct ps_builder {
    const ps_type *type;
    int64_t n, capacity;
    uint8_t *data;      /* capacity * width bytes */
    uint64_t *valid;    /* NULL until the first NULL; bits from n on are ones */
    ps_buf *data_buf, *valid_buf;
    char *text;         /* free part of the newest string chunk */
    size_t text_left;
    ps_buf **bufs;      /* string chunks and pinned buffers */
    int n_bufs, bufs_capacity;
    ps_builder **children;
    int n_children;
};

ps_status ps_build_new(const ps_type *type, int64_t capacity, ps_builder **out, ps_error *err);
void ps_build_free(ps_builder *b); /* accepts NULL */
ps_status ps_build_reserve(ps_builder *b, int64_t n_more, ps_error *err);
/* Makes the vector (FLAT) and leaves the builder empty, ready for the next. */
ps_status ps_build_finish(ps_builder *b, ps_vec **out, ps_error *err);
/* Takes the builder, which was filled with status rc, and makes the vector when that is PS_OK.  NULL with a failure is fine. */
ps_status ps_build_end(ps_builder *b, ps_status rc, ps_vec **out, ps_error *err);
void ps_build_reset(ps_builder *b); /* forgets the rows */

ps_status ps_build_null(ps_builder *b, ps_error *err);       /* children of a struct get a NULL too */
ps_status ps_build_int(ps_builder *b, int64_t value, ps_error *err);    /* BOOL, integers, dates, times, intervals; the caller checked the range */
ps_status ps_build_double(ps_builder *b, double value, ps_error *err);  /* FLOAT, DOUBLE */
ps_status ps_build_int128(ps_builder *b, __int128 value, ps_error *err);
ps_status ps_build_calendar(ps_builder *b, ps_calendar value, ps_error *err);
ps_status ps_build_text(ps_builder *b, const char *data, size_t n_bytes, ps_error *err);
ps_status ps_build_view(ps_builder *b, ps_str view, ps_error *err);
ps_status ps_build_pin(ps_builder *b, ps_buf *buf, ps_error *err);
ps_status ps_build_list(ps_builder *b, uint32_t n, ps_error *err); /* the next n rows of the children are this value */
void ps_build_list_end(ps_builder *b); /* for who began with n = 0: all child rows since are elements of the last list */
ps_status ps_build_struct(ps_builder *b, ps_error *err);
ps_builder *ps_build_child(ps_builder *b, int i);
ps_status ps_build_from(ps_builder *b, const ps_vec *vec, int64_t row, ps_error *err); /* any type, copied deep */
void ps_build_pop(ps_builder *b, int64_t n); /* back to n rows (a bad record is taken back) */
#endif
