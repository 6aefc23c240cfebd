/*
 * fmt/json_fast.c - a record that is spelled like the ones before.
 *
 * What stands between two values (`,"key":`) is learned from one record and then compared sixteen bytes at a
 * time, so a record costs one pass over its bytes and no look-up of names.  Keys that come in another order, or
 * are missing, are looked up and the prediction goes on from there.  Everything unusual (escapes, single
 * quotes, values that do not fit, text that ends too soon) gives up: nothing is kept and the strict reader
 * takes the record again.
 *
 * The text ends with a line feed or carriage return at the latest and has 64 readable bytes behind; both are
 * control characters, which stop every scan here, so no scan runs beyond the record's line.
 */
#include "fmt/json_int.h"
#include "col/text.h"
#include "fmt/digits_int.h"
#include "fmt/simd_int.h"

#define RELEARN_AFTER 32 /* mispredicted records in a row */
#define MOST_LESSONS 64

static psi_json_kind kind_of(const psi_json_node *node)
{
    switch (node->type->kind) {
    case PS_STRING: return PSI_K_TEXT;
    case PS_INT8:
    case PS_INT16:
    case PS_INT32: return PSI_K_INT;
    case PS_INT64: return PSI_K_LONG;
    case PS_DOUBLE: return PSI_K_DOUBLE;
    case PS_BOOL: return PSI_K_BOOL;
    case PS_TIMESTAMP: return PSI_K_TIMESTAMP;
    default: return PSI_K_ODD;
    }
}

/* ---- tokens ---- */

/* Behind an opening quote: where the plain text ends; *high tells of bytes that are not ASCII. */
static inline const char *scan_text(const char *s, uint32_t *high)
{
    uint32_t seen = 0;

    for (;; s += 16) {
        psi_block b = psi_load(s);
        uint32_t stop = psi_string_stop(b), bits = psi_high(b);
        if (stop) {
            int n = psi_first(stop);
            *high = seen | (bits & ((1u << n) - 1));
            return s + n;
        }
        seen |= bits;
    }
}

/* At an opening quote: the text, and behind the closing quote; NULL when it is not plain. */
static inline const char *take_text(const char *p, ps_slice *text)
{
    uint32_t high;
    const char *end;

    if (PS_UNLIKELY(*p != '"'))
        return NULL;
    end = scan_text(p + 1, &high);
    if (PS_UNLIKELY(*end != '"' || end - p > INT32_MAX))
        return NULL;
    *text = (ps_slice){p + 1, (size_t)(end - p - 1)};
    if (PS_UNLIKELY(high) && ps_utf8_prefix(text->data, text->n_bytes) != text->n_bytes)
        return NULL;
    return end + 1;
}

static inline bool is_digit(char c)
{
    return (uint8_t)(c - '0') < 10;
}

/* An integer; not 1.0 or 1e3. */
static inline const char *take_int(const char *p, int64_t *out)
{
    p = psi_take_int(p, out);
    return PS_LIKELY(p && *p != '.' && (*p | 32) != 'e') ? p : NULL;
}

static const char *skip_number(const char *p)
{
    p += *p == '-';
    if (!is_digit(*p) || (*p == '0' && is_digit(p[1])))
        return NULL;
    while (is_digit(*p))
        p++;
    if (*p == '.') {
        if (!is_digit(*++p))
            return NULL;
        while (is_digit(*p))
            p++;
    }
    if ((*p | 32) == 'e') {
        p++;
        p += *p == '+' || *p == '-';
        if (!is_digit(*p))
            return NULL;
        while (is_digit(*p))
            p++;
    }
    return p;
}

static inline const char *take_double(const char *p, double *out)
{
    const char *start = p;

    p = psi_take_double(start, out);
    if (PS_LIKELY(p != NULL))
        return p;
    p = skip_number(start);
    if (!p || p - start > PSI_JSON_NUMBER || !ps_parse_double((ps_slice){start, (size_t)(p - start)}, out))
        return NULL;
    return p;
}

/* A whole value of any kind by the strict reader; `node` NULL skips it. */
static const char *take_other(psi_json *j, const psi_json_node *node, const char *p)
{
    int rc;

    if (j->end < p)
        j->end = psi_find_line_end(p);
    psi_json_start(j, p, j->end);
    rc = node ? psi_json_value(j, node, NULL) : psi_json_skip(j, NULL);
    return rc == PS_OK && !j->bad ? j->at : NULL;
}

static inline const char *skip_value(psi_json *j, const char *p)
{
    ps_slice text;

    switch (*p) {
    case '"': return take_text(p, &text);
    case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9': {
        const char *end = skip_number(p);
        return end && end - p > PSI_JSON_NUMBER ? NULL : end;
    }
    default: return take_other(j, NULL, p);
    }
}

/* ---- values into columns ---- */

static bool put_int(ps_builder *b, int64_t value)
{
    switch (b->type->kind) {
    case PS_INT64: ((int64_t *)(void *)b->data)[b->n++] = value; return true;
    case PS_INT32:
        if (value != (int32_t)value)
            return false;
        ((int32_t *)(void *)b->data)[b->n++] = (int32_t)value;
        return true;
    case PS_INT16:
        if (value != (int16_t)value)
            return false;
        ((int16_t *)(void *)b->data)[b->n++] = (int16_t)value;
        return true;
    default:
        if (value < INT8_MIN || value > UINT8_MAX)
            return false;
        ((int8_t *)b->data)[b->n++] = (int8_t)value;
        return true;
    }
}

static const char *take_timestamp(const psi_json *j, ps_builder *b, const char *p)
{
    ps_slice text;
    int64_t value;

    if (*p == '"') {
        p = take_text(p, &text);
        if (!p || !psi_times_timestamp(&j->opt->times, text, &value))
            return NULL;
    } else {
        p = take_int(p, &value);
        if (!p)
            return NULL;
        value = (int64_t)((uint64_t)value * PS_US_SECOND);
    }
    ((int64_t *)(void *)b->data)[b->n++] = value;
    return p;
}

const char *psi_json_fast_value(psi_json *j, const psi_json_node *node, psi_json_kind kind, const char *p)
{
    ps_builder *b = node ? node->b : NULL;
    ps_slice text;
    int64_t value;
    double real;

    if (!b)
        return skip_value(j, p);
    if (PS_UNLIKELY(b->n >= b->capacity))
        return NULL;
    if (PS_UNLIKELY(*p == 'n'))
        return memcmp(p, "null", 4) == 0 && ps_build_null(b, NULL) == PS_OK ? p + 4 : NULL;
    switch (kind) {
    case PSI_K_TEXT:
        p = take_text(p, &text);
        if (PS_LIKELY(p != NULL))
            ps_str_put((ps_str *)(void *)b->data + b->n++, text.data, (uint32_t)text.n_bytes);
        return p;
    case PSI_K_LONG:
    case PSI_K_INT: p = take_int(p, &value); return p && put_int(b, value) ? p : NULL;
    case PSI_K_DOUBLE:
        p = take_double(p, &real);
        if (p)
            ((double *)(void *)b->data)[b->n++] = real;
        return p;
    case PSI_K_BOOL:
        if (memcmp(p, "true", 4) != 0 && memcmp(p, "false", 5) != 0)
            return NULL;
        ((uint8_t *)b->data)[b->n++] = *p == 't';
        return p + (*p == 't' ? 4 : 5);
    case PSI_K_TIMESTAMP: return take_timestamp(j, b, p);
    default: return take_other(j, node, p);
    }
}

/* ---- records ---- */

static inline bool as_expected(const char *p, const psi_json_slot *slot)
{
    int n = slot->n_bytes;

    for (int i = 0; i < n; i += 16) {
        uint32_t same = psi_same(psi_load(p + i), psi_load(slot->text + i));
        uint32_t want = n - i >= 16 ? 0xffffu : (1u << (n - i)) - 1;
        if ((same & want) != want)
            return false;
    }
    return true;
}

static inline const char *skip_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

/* Reads `{` or `,`, a plain name and a colon; at the value then. */
static const char *take_name(const char *p, ps_slice *name)
{
    p = skip_blanks(p + 1);
    p = take_text(p, name);
    if (!p)
        return NULL;
    p = skip_blanks(p);
    return *p == ':' ? skip_blanks(p + 1) : NULL;
}

/* The slot of this name, looked for from `from` on and around; -1 none. */
static int find_slot(const psi_json_fast *fast, int from, ps_slice name)
{
    for (int k = 0, i = from; k < fast->n_slots; k++, i++) {
        if (i >= fast->n_slots)
            i = 0;
        if (fast->slots[i].name.n_bytes == name.n_bytes && memcmp(fast->slots[i].name.data, name.data, name.n_bytes) == 0)
            return i;
    }
    return -1;
}

/* The members of the object at p, up to and with the closing brace. */
static const char *take_members(psi_json_fast *fast, psi_json *j, const psi_json_node *root, const char *p, int64_t row,
                                bool *missed, int *n_set)
{
    bool first = true; /* the brace opens the object once; the name behind it may be no slot's */

    for (int i = 0;; first = false) {
        const psi_json_slot *slot = &fast->slots[i];
        int child = -1;
        psi_json_kind kind = PSI_K_SKIP;

        if (PS_LIKELY(i < fast->n_slots && (i > 0 || first) && as_expected(p, slot))) {
            p += slot->n_bytes;
            child = slot->child;
            kind = (psi_json_kind)slot->kind;
            i++;
        } else if (*p == '}') {
            return p + 1;
        } else {
            ps_slice name;
            int found;

            if (*p != (first ? '{' : ','))
                return NULL;
            *missed = true;
            if (!(p = take_name(p, &name)))
                return NULL;
            if ((found = find_slot(fast, i, name)) >= 0) {
                child = fast->slots[found].child;
                kind = (psi_json_kind)fast->slots[found].kind;
                i = found + 1;
            } else if ((child = psi_json_find(root, name)) >= 0) {
                kind = kind_of(&root->children[child]);
            }
        }
        if (PS_UNLIKELY(child >= 0 && root->children[child].b->n != row))
            return NULL; /* a name for the second time */
        *n_set += child >= 0;
        p = psi_json_fast_value(j, child < 0 ? NULL : &root->children[child], kind, p);
        if (PS_UNLIKELY(!p))
            return NULL;
    }
}

static bool fill_rest(const psi_json_node *root, int64_t row)
{
    for (int i = 0; i < root->n_children; i++)
        if (root->children[i].b->n == row && ps_build_null(root->children[i].b, NULL) != PS_OK)
            return false;
    return true;
}

const char *psi_json_fast_record(psi_json_fast *fast, psi_json *j, const psi_json_node *root, const char *p, const char *limit,
                                 int64_t row)
{
    bool missed = false;
    int n_set = 0;

    j->end = limit;
    if (PS_UNLIKELY(fast->n_slots == 0 || *p != '{'))
        return NULL;
    p = take_members(fast, j, root, p, row, &missed, &n_set);
    if (PS_UNLIKELY(!p || (limit && p > limit) || (n_set < root->n_children && !fill_rest(root, row)))) {
        for (int i = 0; i < root->n_children; i++)
            ps_build_pop(root->children[i].b, row);
        return NULL;
    }
    fast->n_misses = missed ? fast->n_misses + 1 : 0;
    return p;
}

/* ---- learning ---- */

void psi_json_fast_clear(psi_json_fast *fast)
{
    ps_free(fast->slots);
    *fast = (psi_json_fast){0};
}

bool psi_json_fast_wants(const psi_json_fast *fast)
{
    return fast->n_learned < MOST_LESSONS && (fast->n_slots == 0 || fast->n_misses >= RELEARN_AFTER);
}

/* Whether a slot is the child's. */
static bool named(const psi_json_fast *fast, int child)
{
    for (int i = 0; i < fast->n_slots && child >= 0; i++)
        if (fast->slots[i].child == child)
            return true;
    return false;
}

/* What stands from p to the value, with the name in it. */
static ps_status add_slot(psi_json_fast *fast, const psi_json_node *root, const char *p, const char *value, const char *name,
                          size_t n_name, ps_error *err)
{
    psi_json_slot slot = {.n_bytes = (uint8_t)(value - p), .child = -1, .kind = PSI_K_SKIP};
    int child = psi_json_find(root, (ps_slice){name, n_name});

    memcpy(slot.text, p, slot.n_bytes);
    slot.want = slot.n_bytes >= 16 ? 0xffffu : (1u << slot.n_bytes) - 1;
    slot.name_at = (uint8_t)(name - p);
    slot.name.n_bytes = n_name;
    if (child >= 0) {
        slot.child = (int16_t)child;
        slot.kind = (uint8_t)kind_of(&root->children[child]);
        slot.b = root->children[child].b;
    }
    struct { psi_json_slot *items; int n, capacity; } list = {fast->slots, fast->n_slots, fast->capacity};
    ps_status rc = PS_PUSH(&list, slot, err);
    fast->slots = list.items;
    fast->n_slots = list.n;
    fast->capacity = list.capacity;
    return rc;
}

/* The slots are complete: what points into them, and what they leave out. */
static void finish_slots(psi_json_fast *fast, const psi_json_node *root)
{
    int n_named = 0;

    for (int i = 0; i < fast->n_slots; i++) {
        fast->slots[i].name.data = fast->slots[i].text + fast->slots[i].name_at;
        n_named += fast->slots[i].child >= 0;
    }
    fast->all_named = n_named == root->n_children;
}

ps_status psi_json_fast_learn(psi_json_fast *fast, psi_json *j, const psi_json_node *root, const char *p, const char *end,
                              ps_error *err)
{
    j->end = end;
    fast->n_misses = 0;
    fast->n_slots = 0;
    fast->n_learned++;
    fast->n_alone = fast->pause = 0;
    fast->n_skip = 0;
    while (p < end && *p != '}') {
        ps_slice name;
        const char *value = *p == ',' || (*p == '{' && fast->n_slots == 0) ? take_name(p, &name) : NULL;

        if (!value || value - p > PSI_FAST_TEXT || fast->n_slots == INT16_MAX)
            break;
        if (named(fast, psi_json_find(root, name)))
            break; /* for the second time: no good record goes on so */
        PS_TRY(add_slot(fast, root, p, value, name.data, name.n_bytes, err));
        if (!(p = skip_value(j, value)))
            break;
    }
    finish_slots(fast, root);
    return PS_OK;
}
