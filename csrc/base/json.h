/*
 * base/json.h - JSON documents: offsets, log entries, schemas, metadata.  Not for data (see fmt/json.c).
 *
 * A document is parsed into nodes of an arena; numbers keep their text.
 */
#ifndef PS_BASE_JSON_H
#define PS_BASE_JSON_H
#include "base/bytes.h"

typedef enum ps_json_kind { PS_JSON_NULL, PS_JSON_BOOL, PS_JSON_NUMBER, PS_JSON_TEXT, PS_JSON_ARRAY, PS_JSON_OBJECT } ps_json_kind;
typedef struct ps_json {
    ps_json_kind kind;
    bool boolean;
    ps_slice key;         /* when inside an object, unescaped */
    ps_slice text;        /* NUMBER: as written; TEXT: unescaped, NUL-terminated */
    struct ps_json *first, *next; /* members or items, in order */
} ps_json;

/* Depth is limited to 200.  Raises PS_E_BAD_JSON with the position. */
ps_status ps_json_parse(ps_slice text, ps_arena *arena, ps_json **out, ps_error *err);
const ps_json *ps_json_get(const ps_json *object, const char *key); /* NULL when absent or not an object */
bool ps_json_int(const ps_json *node, int64_t *out);                /* false unless an integer in range */
ps_status ps_json_write(const ps_json *node, ps_bytes *out, ps_error *err); /* compact */
#endif
