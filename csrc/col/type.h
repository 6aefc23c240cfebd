/*
 * col/type.h - the types of values, and fields.
 *
 * A type is immutable and shared by reference; types without parameters are static and may be compared by
 * pointer, the others with ps_type_equal().
 */
#ifndef PS_COL_TYPE_H
#define PS_COL_TYPE_H
#include "base/bytes.h"

typedef enum ps_kind {
#define PS_TYPE(kind, width, sql, simple) PS_##kind,
#include "col/types.def"
#undef PS_TYPE
    PS_KIND_COUNT
} ps_kind;

typedef struct ps_type ps_type;
typedef struct ps_field {
    char *name;
    const ps_type *type; /* owned */
    bool nullable;
    char *metadata; /* JSON object text, or NULL */
} ps_field;

struct ps_type {
    ps_refs refs;
    ps_kind kind;
    uint8_t precision, scale; /* DECIMAL */
    uint8_t unit_from, unit_to; /* DAYTIME: 0 day 1 hour 2 minute 3 second; YEARMONTH: 0 year 1 month */
    bool varying;             /* STRING with a length: VARCHAR(length), else CHAR(length) */
    uint32_t length;          /* STRING: 0, or the size that a schema text gave; no rule but in its text forms */
    int n_fields;             /* ARRAY: 1 (element); MAP: 2 (key, value); STRUCT: any */
    ps_field *fields;
};

/* The static types; DECIMAL here is decimal(10,0), DAYTIME day to second, YEARMONTH year to month. */
const ps_type *ps_type_of(ps_kind kind);
ps_status ps_type_decimal(int precision, int scale, const ps_type **out, ps_error *err);
ps_status ps_type_interval(ps_kind kind, int from, int to, const ps_type **out, ps_error *err);
ps_status ps_type_string_sized(bool varying, uint32_t length, const ps_type **out, ps_error *err);
ps_status ps_type_array(const ps_type *element, bool contains_null, const ps_type **out, ps_error *err);
ps_status ps_type_map(const ps_type *key, const ps_type *value, bool value_contains_null, const ps_type **out, ps_error *err);
/* Copies names and metadata, references types. */
ps_status ps_type_struct(const ps_field *fields, int n_fields, const ps_type **out, ps_error *err);

const ps_type *ps_type_ref(const ps_type *type);
void ps_type_unref(const ps_type *type); /* accepts NULL */
/* Sizes of CHAR and VARCHAR never count: such a column is a STRING. */
bool ps_type_equal(const ps_type *a, const ps_type *b);                /* names of struct fields (exact) and nullability count */
bool ps_type_equal_ignoring_null(const ps_type *a, const ps_type *b);  /* nullability does not, at any depth */

size_t ps_type_width(const ps_type *type);
static inline bool ps_kind_is_integer(ps_kind k) { return k >= PS_INT8 && k <= PS_INT64; }
static inline bool ps_kind_is_numeric(ps_kind k) { return k >= PS_INT8 && k <= PS_DECIMAL; }
static inline bool ps_kind_is_float(ps_kind k) { return k == PS_FLOAT || k == PS_DOUBLE; }
static inline bool ps_kind_is_text(ps_kind k) { return k == PS_STRING || k == PS_BINARY; }
static inline bool ps_kind_is_nested(ps_kind k) { return k >= PS_ARRAY; }
int ps_type_field_index(const ps_type *type, const char *name, bool case_sensitive); /* -1 none, -2 ambiguous */
#endif
