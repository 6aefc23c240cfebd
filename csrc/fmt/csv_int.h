/*
 * fmt/csv_int.h - the parts of the CSV format.
 *
 * csv.c has the options, csv_scan.c cuts records into tokens, csv_read.c makes typed columns of them, csv_infer.c
 * finds a schema, csv_write.c writes.
 */
#ifndef PS_FMT_CSV_INT_H
#define PS_FMT_CSV_INT_H
#include "fmt/input_int.h"
#include "fmt/rows_int.h"
#include "fmt/times_int.h"

typedef enum psi_unescaped { PSI_TO_DELIMITER, PSI_TO_QUOTE, PSI_BACK_TO_DELIMITER, PSI_SKIP_VALUE, PSI_RAISE } psi_unescaped;

typedef struct psi_csv_options {
    char sep[32];
    int n_sep;
    char quote, escape, escape_escape, comment; /* 0: none */
    bool header, multi_line, enforce_schema, prune, prefer_date, infer;
    bool trim_left, trim_right;      /* reading and writing have their own defaults */
    bool quote_all, escape_quotes;
    bool null_given;                 /* nullValue was set */
    ps_slice null_value, empty_value, nan, infinity, minus_infinity;
    int64_t max_columns, max_chars;  /* max_chars -1: any */
    psi_unescaped unescaped;
    ps_slice line_sep;
    psi_charset charset;
    psi_times times;
} psi_csv_options;
ps_status psi_csv_options_init(psi_csv_options *opt, const ps_format_args *args, bool reading, ps_error *err);
void psi_csv_options_clear(psi_csv_options *opt);
/* Nested and void columns cannot be in a file. */
ps_status psi_csv_check_types(const ps_type *schema, ps_error *err);

/* --- tokens ---------------------------------------------------------------------------------------------- */
typedef struct psi_csv {
    const psi_csv_options *opt;
    const char *at, *end;  /* 16 readable bytes follow the end */
    bool newlines;         /* a record ends at a line end outside quotes; else at `end` */
    ps_bytes text;         /* a token that could not be a view */
} psi_csv;

typedef struct psi_csv_token {
    ps_slice text;         /* valid until the next token */
    bool quoted, null;     /* null: skipped for its quotes */
    bool copied;           /* text is in psi_csv.text */
} psi_csv_token;
/* At the start of a field: its token, then behind the separator (*more) or at the end of the record. */
ps_status psi_csv_field(psi_csv *csv, psi_csv_token *token, bool *more, ps_error *err);
/* The end of the line at `at` when one is there: its length, 0 none. */
int psi_csv_line_end(const psi_csv *csv, const char *at);
/* With newlines: moves over blank and comment lines to the next record; false at the end. */
bool psi_csv_next_record(psi_csv *csv);
/* A line that holds no record: blank, or a comment. */
bool psi_csv_ignored(const psi_csv_options *opt, ps_slice line);

/* Records of a file, one after the other, header and ignored lines included or not as told. */
typedef struct psi_csv_source {
    psi_input input;
    psi_csv csv;           /* multi-line: over the whole file */
    bool loaded;
} psi_csv_source;
ps_status psi_csv_source_open(psi_csv_source *source, const psi_csv_options *opt, ps_fs *fs, const char *path, ps_error *err);
/* The next record that is not ignored: csv->at .. csv->end (or, multi-line, from csv->at on).  *more false: the end. */
ps_status psi_csv_source_next(psi_csv_source *source, bool *more, ps_error *err);
void psi_csv_source_clear(psi_csv_source *source);

/* A double as Java's parseDouble reads it: blanks around, "NaN", "Infinity", hex, a trailing d or f. */
bool psi_csv_double(ps_slice text, double *out);
/* The token's text as Spark sees it: nullValue for nothing, emptyValue for "".  False: NULL. */
static inline bool psi_csv_text(const psi_csv_options *opt, const psi_csv_token *token, ps_slice *text)
{
    *text = token->text;
    if (token->null)
        return false;
    if (token->text.n_bytes == 0)
        *text = token->quoted ? opt->empty_value : opt->null_value;
    return !ps_slice_equal(*text, opt->null_value);
}

/* --- the row of the table ---------------------------------------------------------------------------------- */
ps_status psi_csv_reader_new(const ps_format_args *args, ps_reader **out, ps_error *err);
ps_status psi_csv_writer_new(const ps_format_args *args, ps_writer **out, ps_error *err);
ps_status psi_csv_infer(const ps_format_args *args, ps_fs *fs, const char *const *paths, int n_paths, const ps_type **out,
                        ps_error *err);
#endif
