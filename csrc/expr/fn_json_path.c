/* expr/fn_json_path.c - get_json_object, json_array_length, json_object_keys: looking into JSON text. */
#include "base/json.h"
#include "col/text.h"
#include "expr/fn_args.h"

/* --- paths: $.name['name'][3][*] ---------------------------------------------------------------------------------------------- */
typedef enum step_kind { STEP_NAME, STEP_INDEX, STEP_ALL } step_kind;
typedef struct step {
    step_kind kind;
    ps_slice name;
    int64_t index;
} step;
#define MAX_STEPS 64
typedef struct path {
    step steps[MAX_STEPS];
    int n;
} path;

/* What stands between brackets. */
static bool bracket_step(ps_slice inside, step *out)
{
    if (inside.n_bytes == 1 && *inside.data == '*') {
        out->kind = STEP_ALL;
        return true;
    }
    if (inside.n_bytes >= 2 && inside.data[0] == '\'' && inside.data[inside.n_bytes - 1] == '\'') {
        *out = (step){STEP_NAME, psi_slice_from(inside, 1, inside.n_bytes - 1), 0};
        return out->name.n_bytes > 0;
    }
    out->kind = STEP_INDEX;
    return inside.n_bytes > 0 && inside.data[0] >= '0' && inside.data[0] <= '9' && ps_parse_int64(inside, &out->index);
}

static bool parse_path(ps_slice text, path *out)
{
    size_t at = 1, end;

    out->n = 0;
    if (text.n_bytes == 0 || text.data[0] != '$')
        return false;
    for (; at < text.n_bytes; at = end) {
        step *next = &out->steps[out->n];
        if (out->n++ == MAX_STEPS)
            return false;
        if (text.data[at] == '[') {
            bool quoted = at + 1 < text.n_bytes && text.data[at + 1] == '\'';
            end = ps_slice_find(text, ps_slice_of(quoted ? "']" : "]"), at + 1 + quoted);
            if (end == SIZE_MAX || !bracket_step(psi_slice_from(text, at + 1, end + quoted), next))
                return false;
            end += quoted ? 2 : 1;
        } else if (text.data[at] == '.') {
            for (end = at + 1; end < text.n_bytes && text.data[end] != '.' && text.data[end] != '['; end++)
                ;
            *next = (step){STEP_NAME, psi_slice_from(text, at + 1, end), 0};
            if (next->name.n_bytes == 0 || (next->name.n_bytes == 1 && *next->name.data == '*'))
                return false;
        } else {
            return false;
        }
    }
    return true;
}

/* --- finding and writing --------------------------------------------------------------------------------------------------------- */
typedef struct matches {
    const ps_json **items;
    int n, capacity;
    bool several; /* a [*] was passed */
} matches;

static ps_status collect(const ps_json *node, const path *path, int at, matches *found, ps_error *err)
{
    const step *next = &path->steps[at];

    if (at == path->n)
        return PS_PUSH(found, node, err);
    if (next->kind == STEP_NAME) {
        for (const ps_json *child = node->kind == PS_JSON_OBJECT ? node->first : NULL; child; child = child->next)
            if (ps_slice_equal(child->key, next->name))
                return child->kind == PS_JSON_NULL ? PS_OK : collect(child, path, at + 1, found, err);
        return PS_OK;
    }
    if (node->kind != PS_JSON_ARRAY)
        return PS_OK;
    found->several |= next->kind == STEP_ALL;
    int64_t place = 0;
    for (const ps_json *child = node->first; child; child = child->next, place++)
        if (next->kind == STEP_ALL || place == next->index)
            PS_TRY(collect(child, path, at + 1, found, err));
    return PS_OK;
}

/* Compact; numbers with a fraction are written anew, as the parser of Spark does. */
static ps_status write_node(const ps_json *node, ps_bytes *out, ps_error *err)
{
    char number[PS_NUMBER_TEXT];
    double value;

    switch (node->kind) {
    case PS_JSON_NUMBER:
        if (memchr(node->text.data, '.', node->text.n_bytes) || memchr(node->text.data, 'e', node->text.n_bytes) ||
            memchr(node->text.data, 'E', node->text.n_bytes)) {
            if (ps_parse_double(node->text, &value))
                return ps_bytes_append(out, number, (size_t)ps_format_double(value, number), err);
        }
        return ps_bytes_append(out, node->text.data, node->text.n_bytes, err);
    case PS_JSON_ARRAY:
    case PS_JSON_OBJECT:
        PS_TRY(ps_bytes_char(out, node->kind == PS_JSON_ARRAY ? '[' : '{', err));
        for (const ps_json *child = node->first; child; child = child->next) {
            if (child != node->first)
                PS_TRY(ps_bytes_char(out, ',', err));
            if (node->kind == PS_JSON_OBJECT) {
                PS_TRY(ps_bytes_json_string(out, child->key, err));
                PS_TRY(ps_bytes_char(out, ':', err));
            }
            PS_TRY(write_node(child, out, err));
        }
        return ps_bytes_char(out, node->kind == PS_JSON_ARRAY ? ']' : '}', err);
    default:
        return ps_json_write(node, out, err);
    }
}

static ps_status write_matches(const matches *found, ps_bytes *out, bool *null, ps_error *err)
{
    const ps_json *only = found->n > 0 ? found->items[0] : NULL;

    *null = !only || (!found->several && only->kind == PS_JSON_NULL);
    if (*null)
        return PS_OK;
    if (!found->several && only->kind == PS_JSON_TEXT)
        return ps_bytes_append(out, only->text.data, only->text.n_bytes, err);
    if (found->n == 1)
        return write_node(only, out, err);
    PS_TRY(ps_bytes_char(out, '[', err));
    for (int i = 0; i < found->n; i++) {
        if (i > 0)
            PS_TRY(ps_bytes_char(out, ',', err));
        PS_TRY(write_node(found->items[i], out, err));
    }
    return ps_bytes_char(out, ']', err);
}

/* Malformed text is NULL; running out of memory is not. */
static ps_status parse_document(ps_slice text, ps_arena *arena, ps_json **out, ps_error *err)
{
    ps_status rc = ps_json_parse(text, arena, out, err);

    if (rc == PS_OK || rc == PS_E_NO_MEMORY)
        return rc;
    *out = NULL;
    return PS_OK;
}

PS_KERNEL_TEXT_2(get_json_object, ps_str, ps_str)
{
    ps_arena arena = {0};
    matches found = {0};
    ps_json *document = NULL;
    path steps;
    ps_status rc = PS_OK;

    *null = true;
    if (!parse_path(ps_str_slice(&y), &steps))
        return PS_OK;
    rc = parse_document(ps_str_slice(&x), &arena, &document, err);
    if (rc == PS_OK && document)
        rc = collect(document, &steps, 0, &found, err);
    if (rc == PS_OK)
        rc = write_matches(&found, out, null, err);
    ps_free(found.items);
    ps_arena_clear(&arena);
    return rc;
}

PS_KERNEL_1(json_array_length, ps_str, int32_t)
{
    ps_arena arena = {0};
    ps_json *document = NULL;
    ps_status rc = parse_document(ps_str_slice(&x), &arena, &document, err);

    *out = 0;
    *null = !document || document->kind != PS_JSON_ARRAY;
    for (const ps_json *item = *null ? NULL : document->first; item; item = item->next)
        (*out)++;
    ps_arena_clear(&arena);
    return rc;
}

static ps_status build_keys(const ps_json *object, ps_builder *out, ps_error *err)
{
    PS_TRY(ps_build_list(out, 0, err));
    for (const ps_json *member = object->first; member; member = member->next)
        PS_TRY(ps_build_text(ps_build_child(out, 0), member->key.data, member->key.n_bytes, err));
    ps_build_list_end(out);
    return PS_OK;
}

PS_KERNEL_BUILD_1(json_object_keys, ps_str)
{
    ps_arena arena = {0};
    ps_json *document = NULL;
    ps_status rc = parse_document(ps_str_slice(&x), &arena, &document, err);

    *null = !document || document->kind != PS_JSON_OBJECT;
    if (rc == PS_OK && !*null)
        rc = build_keys(document, out, err);
    ps_arena_clear(&arena);
    return rc;
}
