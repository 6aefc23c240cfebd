/*
 * fmt/rows_int.h - the rows that a reader is building, and what the parse modes do with bad records.
 *
 * A reader notes where a record begins (rows->n), appends to the builders, and ends the record with
 * psi_rows_good() or psi_rows_bad(); the column of corrupt records is filled there.
 */
#ifndef PS_FMT_ROWS_INT_H
#define PS_FMT_ROWS_INT_H
#include "col/build.h"
#include "fmt/format.h"

typedef enum psi_mode { PSI_PERMISSIVE, PSI_DROPMALFORMED, PSI_FAILFAST } psi_mode;

typedef struct psi_rows {
    const ps_type *schema;  /* owned; the columns wanted, with the corrupt one */
    ps_builder **cols;      /* of the schema's columns */
    int n_cols;
    int corrupt;            /* the place of the corrupt column, or -1 */
    psi_mode mode;
    int64_t n;              /* finished rows */
    ps_batch *big;          /* more rows than a batch may have, handed out in pieces */
    int64_t big_at;
} psi_rows;

/* Checks the corrupt column against args->full_schema. */
ps_status psi_rows_init(psi_rows *rows, const ps_format_args *args, ps_error *err);
void psi_rows_clear(psi_rows *rows);
/* Room for the rest of the batch's rows, or for as many as n_bytes of text can hold (two bytes each at least). */
ps_status psi_rows_reserve(psi_rows *rows, size_t n_bytes, ps_error *err);
/* Appends a NULL to every column that has no value in row `row` yet. */
ps_status psi_rows_fill(psi_rows *rows, int64_t row, ps_error *err);
void psi_rows_pop(psi_rows *rows, int64_t n); /* back to n rows */
/* The rows from rows->n to n_now are one record; all columns but the corrupt one are filled. */
ps_status psi_rows_good(psi_rows *rows, int64_t n_now, ps_error *err);
/* The same for a bad record with this text: kept, dropped or an error, by the mode.  n_now == rows->n: nothing could be
 * kept of it. */
ps_status psi_rows_bad(psi_rows *rows, int64_t n_now, ps_slice text, ps_error *err);
static inline bool psi_rows_full(const psi_rows *rows) { return rows->n >= ps_batch_rows; }
/* The next batch of at most ps_batch_rows rows; NULL when there are none. */
ps_status psi_rows_take(psi_rows *rows, ps_batch **out, ps_error *err);
void psi_rows_forget(psi_rows *rows); /* drops all rows: a new file */

/* The live texts that are not NULL one after another from *start on, each followed by `behind`: in the vector's own buffer,
 * when they lie there so already (as Kafka's values do), else copied.  *out is a reference of the buffer. */
ps_status psi_rows_gather(const ps_vec *vec, const ps_rows *rows, const char *behind, ps_buf **out, const char **start, ps_error *err);
/* A vector of one value per live row (taken) as one of rows->n_rows rows, defined on the live ones. */
ps_status psi_rows_spread(ps_vec *live, const ps_rows *rows, ps_vec **out, ps_error *err);

/* The options that every format shares. */
psi_mode psi_mode_option(const ps_format_args *args);
const char *psi_corrupt_name(const ps_format_args *args);
ps_status psi_zone_option(const ps_format_args *args, const ps_zone **out, ps_error *err);
ps_status psi_line_sep_option(const ps_format_args *args, ps_slice *out, ps_error *err); /* empty: any line end */
ps_status psi_sampling_check(const ps_format_args *args, ps_error *err); /* samplingRatio, which has no other effect */
const char *psi_charset_option(const ps_format_args *args); /* "encoding" or "charset", or NULL */
#endif
