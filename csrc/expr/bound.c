/* expr/bound.c - bound expressions as values: sharing, comparing, rewriting. */
#include "expr/bound.h"
#include "expr/fn_int.h"

ps_status psi_bound_new(ps_bound_kind kind, const ps_type *type, bool nullable, ps_bound **out, ps_error *err)
{
    *out = NULL;
    PS_TRY(ps_alloc0(sizeof **out, out, err));
    ps_refs_init(&(*out)->refs);
    (*out)->kind = kind;
    (*out)->type = ps_type_ref(type);
    (*out)->nullable = nullable;
    (*out)->deterministic = true;
    (*out)->attr_id = -1;
    return PS_OK;
}

ps_bound *ps_bound_ref(ps_bound *bound)
{
    if (bound)
        ps_refs_inc(&bound->refs);
    return bound;
}

void ps_bound_unref(ps_bound *bound)
{
    if (!bound || !ps_refs_dec(&bound->refs))
        return;
    if (bound->data_of) {
        ps_bound_unref(bound->data_of);
    } else if (bound->fn && bound->fn_data) {
        if (bound->fn->aggregate)
            psi_agg_data_free(bound->fn->aggregate, bound->fn_data);
        else if (bound->fn->free_data)
            bound->fn->free_data(bound->fn_data);
    }
    for (int i = 0; bound->args && i < bound->n_args; i++)
        ps_bound_unref(bound->args[i]);
    ps_free(bound->args);
    ps_bound_unref(bound->filter);
    ps_type_unref(bound->type);
    ps_vec_unref(bound->value);
    ps_free(bound->params);
    ps_free(bound->name);
    ps_free(bound->text);
    ps_free(bound);
}

ps_status ps_bound_column(const ps_attr *attr, ps_bound **out, ps_error *err)
{
    ps_bound *bound;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_bound_new(PS_B_COLUMN, attr->type, attr->nullable, &bound, err));
    bound->attr_id = attr->id;
    PS_TRY_OR(fail, ps_strdup(attr->name, &bound->name, err));
    PS_TRY_OR(fail, ps_strdup(attr->name, &bound->text, err));
    *out = bound;
    return PS_OK;
fail:
    ps_bound_unref(bound);
    return rc;
}

bool ps_bound_is_literal(const ps_bound *bound)
{
    return bound->kind == PS_B_LITERAL;
}

bool psi_bound_is_constant(const ps_bound *bound)
{
    if (bound->kind == PS_B_COLUMN || bound->kind == PS_B_PARAM || !bound->deterministic)
        return false;
    if (bound->kind == PS_B_CALL && bound->fn->flags & (PS_FN_AGGREGATE | PS_FN_GENERATOR))
        return false;
    for (int i = 0; i < bound->n_args; i++)
        if (bound->args[i]->kind != PS_B_LAMBDA && !psi_bound_is_constant(bound->args[i]))
            return false;
    return true;
}

ps_status psi_built_literal(ps_builder *b, ps_status rc, ps_bound **out, ps_error *err)
{
    ps_vec *value;

    *out = NULL;
    PS_TRY(ps_build_end(b, rc, &value, err));
    rc = ps_bound_literal(value, out, err);
    ps_vec_unref(value);
    return rc;
}

ps_status psi_text_literal(ps_slice text, ps_bound **out, ps_error *err)
{
    ps_builder *b;

    PS_TRY(ps_build_new(ps_type_of(PS_STRING), 1, &b, err));
    return psi_built_literal(b, ps_build_text(b, text.data, text.n_bytes, err), out, err);
}

/* --- copies ---------------------------------------------------------------------------------------------- */
/* The same node over other arguments (NULL: its own); takes args' references, also when it fails. */
ps_status psi_bound_copy(ps_bound *from, ps_bound *const *args, ps_bound **out, ps_error *err)
{
    ps_bound *bound = NULL;
    ps_status rc;

    *out = NULL;
    rc = psi_bound_new(from->kind, from->type, from->nullable, &bound, err);
    if (rc == PS_OK && from->n_args > 0)
        rc = ps_alloc0((size_t)from->n_args * sizeof *bound->args, &bound->args, err);
    if (rc != PS_OK) {
        for (int i = 0; args && i < from->n_args; i++)
            ps_bound_unref(args[i]);
        ps_bound_unref(bound);
        return rc;
    }
    bound->n_args = from->n_args;
    for (int i = 0; i < from->n_args; i++)
        bound->args[i] = args ? args[i] : ps_bound_ref(from->args[i]);
    bound->deterministic = from->deterministic;
    bound->attr_id = from->attr_id;
    bound->value = ps_vec_ref(from->value);
    bound->fn = from->fn;
    bound->filter = ps_bound_ref(from->filter);
    bound->distinct = from->distinct;
    bound->ignore_nulls = from->ignore_nulls;
    bound->is_implicit = from->is_implicit;
    bound->fields = from->fields;
    if (from->fn_data) {
        bound->fn_data = from->fn_data;
        bound->data_of = ps_bound_ref(from->data_of ? from->data_of : from);
    }
    if (from->n_params) {
        PS_TRY_OR(fail, ps_alloc((size_t)from->n_params * sizeof *bound->params, &bound->params, err));
        memcpy(bound->params, from->params, (size_t)from->n_params * sizeof *bound->params);
        bound->n_params = from->n_params;
    }
    if (from->name)
        PS_TRY_OR(fail, ps_strdup(from->name, &bound->name, err));
    if (from->text)
        PS_TRY_OR(fail, ps_strdup(from->text, &bound->text, err));
    *out = bound;
    return PS_OK;
fail:
    ps_bound_unref(bound);
    return rc;
}

ps_status psi_bound_retext(ps_bound *bound, const char *text, size_t n, ps_bound **out, ps_error *err)
{
    char *copy;

    PS_TRY(ps_strndup(text, n, &copy, err));
    if (psi_bound_copy(bound, NULL, out, err) != PS_OK) {
        ps_free(copy);
        return PS_E_NO_MEMORY;
    }
    ps_free((*out)->text);
    (*out)->text = copy;
    return PS_OK;
}

/* Applies `change` to the tree bottom up; nodes without changes are shared.  `change` gives *out NULL to keep. */
ps_status psi_bound_rewrite(ps_bound *bound, psi_rewriter change, void *data, ps_bound **out, ps_error *err)
{
    ps_bound **args = NULL, *filter = NULL, *now = NULL;
    bool changed = false;
    ps_status rc;

    *out = NULL;
    PS_TRY(change(bound, data, out, err));
    if (*out)
        return PS_OK;
    PS_TRY(ps_alloc0((size_t)bound->n_args * sizeof *args, &args, err));
    for (int i = 0; i < bound->n_args; i++) {
        PS_TRY_OR(fail, psi_bound_rewrite(bound->args[i], change, data, &args[i], err));
        changed |= args[i] != bound->args[i];
    }
    if (bound->filter) {
        PS_TRY_OR(fail, psi_bound_rewrite(bound->filter, change, data, &filter, err));
        changed |= filter != bound->filter;
    }
    if (changed) {
        rc = psi_bound_copy(bound, args, &now, err);
        ps_free(args);
        args = NULL;
        if (rc != PS_OK)
            goto fail;
        if (filter) {
            ps_bound_unref(now->filter);
            now->filter = filter;
        }
        *out = now;
        return PS_OK;
    }
    *out = ps_bound_ref(bound);
    rc = PS_OK;
fail:
    for (int i = 0; args && i < bound->n_args; i++)
        ps_bound_unref(args[i]);
    ps_free(args);
    ps_bound_unref(filter);
    return rc;
}

typedef struct replacement {
    const int64_t *from;
    ps_bound *const *to;
    int n;
} replacement;

static ps_status replace_column(ps_bound *bound, void *data, ps_bound **out, ps_error *err)
{
    const replacement *by = data;

    PS_UNUSED(err);
    if (bound->kind == PS_B_COLUMN)
        for (int i = 0; i < by->n && !*out; i++)
            if (by->from[i] == bound->attr_id)
                *out = ps_bound_ref(by->to[i]);
    return PS_OK;
}

ps_status ps_bound_replace(ps_bound *bound, const int64_t *from, ps_bound *const *to, int n, ps_bound **out, ps_error *err)
{
    return psi_bound_rewrite(bound, replace_column, &(replacement){from, to, n}, out, err);
}

typedef struct swap {
    const ps_bound *from;
    ps_bound *to;
} swap;

static ps_status swap_equal(ps_bound *bound, void *data, ps_bound **out, ps_error *err)
{
    const swap *by = data;

    PS_UNUSED(err);
    if (ps_bound_equal(bound, by->from))
        *out = ps_bound_ref(by->to);
    return PS_OK;
}

ps_status ps_bound_swap(ps_bound *bound, const ps_bound *from, ps_bound *to, ps_bound **out, ps_error *err)
{
    return psi_bound_rewrite(bound, swap_equal, &(swap){from, to}, out, err);
}

/* --- questions ------------------------------------------------------------------------------------------- */
/* Parameters of lambdas are equal by their place: a[i] stands for b[i]. */
typedef struct pairing {
    const ps_bound *a, *b;
    const struct pairing *outer;
} pairing;

static bool same_param(int64_t a, int64_t b, const pairing *pairs)
{
    for (; pairs; pairs = pairs->outer)
        for (int i = 0; i < pairs->a->n_params; i++)
            if (pairs->a->params[i] == a)
                return pairs->b->params[i] == b;
    return a == b;
}

static bool equal_nodes(const ps_bound *a, const ps_bound *b, const pairing *pairs)
{
    const pairing inner = {a, b, pairs};

    if (a == b && !pairs)
        return true;
    if (a->kind != b->kind || a->n_args != b->n_args || a->fn != b->fn || a->distinct != b->distinct ||
        a->ignore_nulls != b->ignore_nulls || a->fields != b->fields || !ps_type_equal_ignoring_null(a->type, b->type) ||
        !a->filter != !b->filter)
        return false;
    if (a->kind == PS_B_COLUMN)
        return a->attr_id == b->attr_id;
    if (a->kind == PS_B_PARAM)
        return same_param(a->attr_id, b->attr_id, pairs);
    if (a->kind == PS_B_LITERAL)
        return ps_vec_equal_rows(a->value, 0, b->value, 0);
    if (a->kind == PS_B_LAMBDA) {
        if (a->n_params != b->n_params)
            return false;
        pairs = &inner;
    } else if (a->fn->flags & PS_FN_VOLATILE) {
        return false;
    }
    if (a->filter && !equal_nodes(a->filter, b->filter, pairs))
        return false;
    for (int i = 0; i < a->n_args; i++)
        if (!equal_nodes(a->args[i], b->args[i], pairs))
            return false;
    return true;
}

bool ps_bound_equal(const ps_bound *a, const ps_bound *b)
{
    return equal_nodes(a, b, NULL);
}

bool ps_bound_uses(const ps_bound *bound, int64_t attr_id)
{
    if (bound->kind == PS_B_COLUMN && bound->attr_id == attr_id)
        return true;
    for (int i = 0; i < bound->n_args; i++)
        if (ps_bound_uses(bound->args[i], attr_id))
            return true;
    return bound->filter && ps_bound_uses(bound->filter, attr_id);
}

static bool any_call(const ps_bound *bound, unsigned flags)
{
    if (bound->kind == PS_B_CALL && bound->fn->flags & flags)
        return true;
    for (int i = 0; i < bound->n_args; i++)
        if (any_call(bound->args[i], flags))
            return true;
    return false;
}

bool ps_bound_has_aggregate(const ps_bound *bound)
{
    return any_call(bound, PS_FN_AGGREGATE);
}

bool ps_bound_has_generator(const ps_bound *bound)
{
    return any_call(bound, PS_FN_GENERATOR);
}

ps_bound *ps_bound_find_call(ps_bound *bound, const char *fn_name)
{
    ps_bound *found = NULL;

    if (bound->kind == PS_B_CALL && strcmp(bound->fn->name, fn_name) == 0)
        return bound;
    for (int i = 0; i < bound->n_args && !found; i++)
        found = ps_bound_find_call(bound->args[i], fn_name);
    return found;
}
