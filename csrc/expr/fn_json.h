/*
 * expr/fn_json.h - what calls of from_json and its like keep.
 */
#ifndef PS_EXPR_FN_JSON_H
#define PS_EXPR_FN_JSON_H
#include "fmt/format.h"
#include "fmt/json.h"

/* Of a program's call: made at its first batch. */
typedef struct psi_format_scratch {
    ps_format_args args;
    ps_reader *reader;
    ps_json_writer *writer;
} psi_format_scratch;
#endif
