/*
 * fmt/csv.h - CSV for expressions: to_csv and schema_of_csv.  from_csv is the parse() of the csv reader.
 */
#ifndef PS_FMT_CSV_H
#define PS_FMT_CSV_H
#include "fmt/format.h"

/* Structs as lines of CSV, without a line end, by the options of sources-sinks.md C.4 and C.6. */
typedef struct ps_csv_writer ps_csv_writer;
/* args->schema is the STRUCT; nested fields are allowed here (C.10). */
ps_status ps_csv_writer_new(const ps_format_args *args, ps_csv_writer **out, ps_error *err);
void ps_csv_writer_free(ps_csv_writer *writer); /* accepts NULL */
/* The vector of structs whose rows are written next; borrowed until the next call. */
ps_status ps_csv_writer_bind(ps_csv_writer *writer, const ps_vec *vec, ps_error *err);
ps_status ps_csv_write_row(ps_csv_writer *writer, int64_t row, ps_bytes *out, ps_error *err);

/* The type of one line. */
ps_status ps_csv_schema_of(const ps_format_args *args, ps_slice text, const ps_type **out, ps_error *err);
#endif
