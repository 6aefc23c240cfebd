/*
 * col/type_text.h - types as text: DDL ("a INT, b STRING NOT NULL COMMENT 'x'"), SQL names
 * ("ARRAY<INT>"), simpleString ("array<int>") and the JSON of StructType.json().
 */
#ifndef PS_COL_TYPE_TEXT_H
#define PS_COL_TYPE_TEXT_H
#include "base/json.h"
#include "col/type.h"

/* One type ("array<int>", "decimal(10,2)", "interval day to second"); PARSE_SYNTAX_ERROR, UNSUPPORTED_DATATYPE. */
ps_status ps_type_parse(ps_slice text, const ps_type **out, ps_error *err);
/* A schema: "a int, b string" or "a: int", also "struct<...>"; always gives a STRUCT (a lone type T gives PARSE error). */
ps_status ps_schema_parse(ps_slice text, const ps_type **out, ps_error *err);
/* Reads one type out of longer SQL text, from *at, which moves behind it.  For CAST(x AS type): CHAR(n) and VARCHAR(n) give STRING. */
ps_status ps_type_parse_at(ps_slice text, size_t *at, const ps_type **out, ps_error *err);

/* Adds " (line 1, pos 6)" and the text with a mark under byte `at` to an error of a parser, as Spark shows it. */
void ps_error_mark_text(ps_error *err, ps_slice text, size_t at);

ps_status ps_type_simple_text(const ps_type *type, ps_bytes *out, ps_error *err); /* struct<a:int,...>, not cut */
ps_status ps_type_sql_text(const ps_type *type, ps_bytes *out, ps_error *err);    /* STRUCT<a: INT NOT NULL, ...> */
ps_status ps_type_ddl_text(const ps_type *type, ps_bytes *out, ps_error *err);    /* StructType.toDDL */
ps_status ps_type_json_text(const ps_type *type, ps_bytes *out, ps_error *err);   /* StructType.json(): keys in order */
ps_status ps_type_tree_text(const ps_type *type, int max_level, ps_bytes *out, ps_error *err); /* printSchema; max_level < 1: all */
ps_status ps_type_from_json(ps_slice text, const ps_type **out, ps_error *err);
/* For messages: the SQL text in a static per-call ring of thread-local buffers. */
const char *ps_type_name(const ps_type *type);
#endif
