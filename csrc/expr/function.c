/* expr/function.c - the tables of functions, aliases and aggregates as one sorted index. */
#include "expr/function.h"
#include "expr/aggregate.h"
#include "expr/fn_int.h"
#include "expr/fn_json.h"
#include "expr/fn_scratch.h"
#include "expr/fn_time.h"
#include "expr/regex.h"
#include <pthread.h>
#include <stdlib.h>

#define F(flag) PS_FN_##flag

/* --- what the rows name ------------------------------------------------------------------------------- */
#define PS_FN(name, flags, accepts, returns, bind, kernel, params, example, doc)                   \
    ps_status psi_bind_##bind(ps_fn_call *call, ps_error *err);                                    \
    ps_status psi_##kernel(ps_fn_run *run, ps_vec **out, ps_error *err);
#define PS_FN_MORE(name, flags, accepts, returns, bind, kernel, params, example, doc, text, free_data, scratch, free_scratch) \
    PS_FN(name, flags, accepts, returns, bind, kernel, params, example, doc)                       \
    ps_status psi_text_##text(const ps_fn_call *call, ps_bytes *out, ps_error *err);               \
    void psi_free_##free_data(void *data);                                                         \
    void psi_free_##free_scratch(void *data);
#define PS_FN_ALIAS(alias, name)
#define PS_FN_ALIAS_KEEP(alias, name)
#define PS_AGG(name, flags, accepts, returns, agg, params, example, doc) extern const ps_agg_fn psi_agg_##agg;
#define PS_AGG_TEXT(name, flags, accepts, returns, agg, params, example, doc, text)                \
    PS_AGG(name, flags, accepts, returns, agg, params, example, doc)                               \
    ps_status psi_text_##text(const ps_fn_call *call, ps_bytes *out, ps_error *err);
#define PS_AGG_ALIAS(alias, name)
#define PS_AGG_ALIAS_KEEP(alias, name)
#include "expr/functions.def"
#include "expr/aggregates.def"
#undef PS_FN
#undef PS_FN_MORE
#undef PS_FN_ALIAS
#undef PS_FN_ALIAS_KEEP
#undef PS_AGG
#undef PS_AGG_TEXT
#undef PS_AGG_ALIAS
#undef PS_AGG_ALIAS_KEEP

/* --- the rows ------------------------------------------------------------------------------------------- */
typedef struct alias_row {
    const char *alias, *name;
    bool keeps;
} alias_row;

#define PS_FN(name, flags, accepts, returns, bind, kernel, params, example, doc)                   \
    {name, flags, accepts, returns, psi_bind_##bind, psi_##kernel, params, example, doc, NULL, NULL, 0, NULL, NULL, NULL},
#define PS_FN_MORE(name, flags, accepts, returns, bind, kernel, params, example, doc, text, free_data, scratch, free_scratch) \
    {name, flags, accepts, returns, psi_bind_##bind, psi_##kernel, params, example, doc,           \
     psi_text_##text, psi_free_##free_data, scratch, psi_free_##free_scratch, NULL, NULL},
#define PS_FN_ALIAS(alias, name)
#define PS_FN_ALIAS_KEEP(alias, name)
#define PS_AGG_TEXT(name, flags, accepts, returns, agg, params, example, doc, text)                \
    {name, PS_FN_AGGREGATE | (flags), accepts, returns, psi_bind_none, psi_none, params, example, doc, psi_text_##text, NULL, 0, \
     NULL, NULL, &psi_agg_##agg},
#define PS_AGG(name, flags, accepts, returns, agg, params, example, doc)                           \
    {name, PS_FN_AGGREGATE | (flags), accepts, returns, psi_bind_none, psi_none, params, example, doc, NULL, NULL, 0, NULL, NULL, \
     &psi_agg_##agg},
#define PS_AGG_ALIAS(alias, name)
#define PS_AGG_ALIAS_KEEP(alias, name)
static const ps_fn rows[] = {
#include "expr/functions.def"
#include "expr/aggregates.def"
};
#undef PS_FN
#undef PS_FN_MORE
#undef PS_FN_ALIAS
#undef PS_FN_ALIAS_KEEP
#undef PS_AGG
#undef PS_AGG_TEXT
#undef PS_AGG_ALIAS
#undef PS_AGG_ALIAS_KEEP

#define PS_FN(...)
#define PS_FN_MORE(...)
#define PS_FN_ALIAS(alias, name) {alias, name, false},
#define PS_FN_ALIAS_KEEP(alias, name) {alias, name, true},
#define PS_AGG(...)
#define PS_AGG_TEXT(...)
#define PS_AGG_ALIAS(alias, name) {alias, name, false},
#define PS_AGG_ALIAS_KEEP(alias, name) {alias, name, true},
static const alias_row aliases[] = {
#include "expr/functions.def"
#include "expr/aggregates.def"
};

/* --- the index -------------------------------------------------------------------------------------------- */
#define N_ROWS PS_COUNT_OF(rows)
#define N_ALIASES PS_COUNT_OF(aliases)
static ps_fn alias_fns[N_ALIASES];
static const ps_fn *sorted[N_ROWS + N_ALIASES];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const ps_fn *const *)a)->name, (*(const ps_fn *const *)b)->name);
}

static void make_index(void)
{
    size_t n = 0;

    for (size_t i = 0; i < N_ROWS; i++)
        sorted[n++] = &rows[i];
    for (size_t i = 0; i < N_ALIASES; i++) {
        const ps_fn *target = NULL;
        for (size_t k = 0; k < N_ROWS && !target; k++)
            if (strcmp(rows[k].name, aliases[i].name) == 0)
                target = &rows[k];
        ps_assert(target);
        alias_fns[i] = *target;
        alias_fns[i].name = aliases[i].alias;
        alias_fns[i].flags |= PS_FN_ALIAS_OF;
        alias_fns[i].target = target;
        sorted[n++] = &alias_fns[i];
    }
    qsort(sorted, n, sizeof *sorted, compare_names);
}

static const ps_fn *find_exactly(ps_slice name)
{
    char lower[64];
    size_t from = 0, to = N_ROWS + N_ALIASES;

    if (name.n_bytes >= sizeof lower)
        return NULL;
    for (size_t i = 0; i < name.n_bytes; i++)
        lower[i] = name.data[i] >= 'A' && name.data[i] <= 'Z' ? (char)(name.data[i] + 32) : name.data[i];
    lower[name.n_bytes] = 0;
    pthread_once(&once, make_index);
    while (from < to) {
        size_t middle = (from + to) / 2;
        int order = strcmp(lower, sorted[middle]->name);
        if (order == 0)
            return sorted[middle];
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

const ps_fn *psi_fn_lookup(ps_slice name, const char **shown)
{
    const ps_fn *fn = find_exactly(name);

    if (!fn)
        return NULL;
    *shown = fn->name;
    if (!fn->target)
        return fn;
    if (!aliases[fn - alias_fns].keeps)
        *shown = fn->target->name;
    return fn->target;
}

const ps_fn *ps_fn_find(ps_slice name)
{
    const char *shown;

    return psi_fn_lookup(name, &shown);
}

const ps_fn *const *ps_fn_all(int *n)
{
    pthread_once(&once, make_index);
    *n = (int)(N_ROWS + N_ALIASES);
    return sorted;
}

/* --- rows that leave a column empty ------------------------------------------------------------------------- */
ps_status psi_bind_none(ps_fn_call *call, ps_error *err)
{
    PS_UNUSED(call);
    PS_UNUSED(err);
    return PS_OK;
}

ps_status psi_none(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    *out = NULL;
    return ps_raise(err, PS_E_INTERNAL, run->node->fn->name);
}

ps_status psi_text_none(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    return psi_call_text(call, out, err);
}

void psi_free_none(void *data)
{
    PS_UNUSED(data);
}
