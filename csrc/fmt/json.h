/*
 * fmt/json.h - JSON for expressions: to_json and schema_of_json.  from_json is the parse() of the json reader.
 */
#ifndef PS_FMT_JSON_H
#define PS_FMT_JSON_H
#include "fmt/format.h"

/* Values as JSON text, by the options of sources-sinks.md C.7 and C.9. */
typedef struct ps_json_writer ps_json_writer;
/* args->schema is the type of the values, of any kind. */
ps_status ps_json_writer_new(const ps_format_args *args, ps_json_writer **out, ps_error *err);
void ps_json_writer_free(ps_json_writer *writer); /* accepts NULL */
/* The vector whose rows are written next; borrowed until the next call. */
ps_status ps_json_writer_bind(ps_json_writer *writer, const ps_vec *vec, ps_error *err);
/* Appends row `row` of it; NULL is "null". */
ps_status ps_json_write_value(ps_json_writer *writer, int64_t row, ps_bytes *out, ps_error *err);

/* The type of one document. */
ps_status ps_json_schema_of(const ps_format_args *args, ps_slice text, const ps_type **out, ps_error *err);
#endif
