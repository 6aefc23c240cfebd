/* expr/bind_name.c - what a name stands for: parameters of lambdas, columns and their parts, aliases; and stars. */
#include "expr/binder.h"
#include "base/nearest.h"
#include "expr/coerce.h"

/* --- texts of names -------------------------------------------------------------------------------------------- */
/* `a`.`b` */
static ps_status quote_parts(const char *const *parts, int n, ps_bytes *out, ps_error *err)
{
    for (int i = 0; i < n; i++) {
        PS_TRY(ps_bytes_text(out, i ? ".`" : "`", err));
        for (const char *p = parts[i]; *p; p++)
            PS_TRY(*p == '`' ? ps_bytes_text(out, "``", err) : ps_bytes_char(out, *p, err));
        PS_TRY(ps_bytes_char(out, '`', err));
    }
    return PS_OK;
}

ps_status ps_suggest(const char *wrong, const char *const *names, int n, ps_bytes *out, ps_error *err)
{
    bool *used = NULL;

    PS_TRY(ps_alloc0((size_t)n * sizeof *used, &used, err));
    for (int k = 0; k < 5 && k < n; k++) {
        int best = -1, best_distance = 0;
        ps_status rc;
        for (int i = 0; i < n; i++) {
            int distance = used[i] ? 0 : ps_edit_distance(wrong, names[i], false);
            if (!used[i] && (best < 0 || distance < best_distance)) {
                best = i;
                best_distance = distance;
            }
        }
        used[best] = true;
        rc = k ? ps_bytes_text(out, ", ", err) : PS_OK;
        if (rc == PS_OK)
            rc = names[best][0] == '`' ? ps_bytes_text(out, names[best], err) : quote_parts(&names[best], 1, out, err);
        if (rc != PS_OK) {
            ps_free(used);
            return rc;
        }
    }
    ps_free(used);
    return PS_OK;
}

/* Candidates show the qualifier only where not all have the same one. */
static bool same_qualifiers(const ps_scope *scope)
{
    const ps_attr *first = NULL;

    for (int k = 0; k < scope->n_inputs; k++) {
        for (int i = 0; i < scope->inputs[k]->n; i++) {
            const ps_attr *attr = &scope->inputs[k]->items[i];
            if (attr->hidden)
                continue;
            if (!first)
                first = attr;
            if (attr->n_qualifier != first->n_qualifier)
                return false;
            for (int q = 0; q < attr->n_qualifier; q++)
                if (strcmp(attr->qualifier[q], first->qualifier[q]) != 0)
                    return false;
        }
    }
    return true;
}

static ps_status candidate(const ps_attr *attr, bool bare, char **out, ps_error *err)
{
    ps_bytes text = {0};
    ps_status rc = PS_OK;

    if (!bare && attr->n_qualifier > 0) {
        rc = quote_parts((const char *const *)attr->qualifier, attr->n_qualifier, &text, err);
        if (rc == PS_OK)
            rc = ps_bytes_char(&text, '.', err);
    }
    if (rc == PS_OK)
        rc = quote_parts((const char *const *)&attr->name, 1, &text, err);
    if (rc == PS_OK)
        *out = ps_bytes_take(&text);
    ps_bytes_clear(&text);
    return rc;
}

static ps_status raise_unresolved(const ps_scope *scope, const char *const *parts, int n_parts, ps_error *err)
{
    bool bare = n_parts <= 1 && same_qualifiers(scope);
    ps_bytes name = {0}, proposal = {0};
    char **names = NULL;
    int n = 0, capacity = 0;
    ps_status rc;

    PS_TRY_OR(done, quote_parts(parts, n_parts, &name, err));
    for (int k = 0; k < scope->n_inputs; k++) {
        for (int i = 0; i < scope->inputs[k]->n; i++) {
            if (scope->inputs[k]->items[i].hidden)
                continue;
            PS_TRY_OR(done, ps_grow(&names, n, &capacity, sizeof *names, err));
            PS_TRY_OR(done, candidate(&scope->inputs[k]->items[i], bare, &names[n], err));
            n++;
        }
    }
    if (n == 0) {
        rc = ps_raise(err, PS_E_UNRESOLVED_COLUMN_PLAIN, name.data);
        goto done;
    }
    PS_TRY_OR(done, ps_suggest(name.data, (const char *const *)names, n, &proposal, err));
    rc = ps_raise(err, PS_E_UNRESOLVED_COLUMN, name.data, proposal.data);
done:
    for (int i = 0; i < n; i++)
        ps_free(names[i]);
    ps_free(names);
    ps_bytes_clear(&name);
    ps_bytes_clear(&proposal);
    return rc;
}

/* --- matching -------------------------------------------------------------------------------------------------------- */
static bool same_name(const ps_binder *binder, const char *a, const char *b)
{
    return (binder->case_sensitive ? strcmp(a, b) : ps_stricmp(a, b)) == 0;
}

/* The last n_qualifier parts of the attribute's qualifier are these. */
static bool qualifier_ends(const ps_binder *binder, const ps_attr *attr, char *const *parts, int n)
{
    if (attr->n_qualifier < n)
        return false;
    for (int i = 0; i < n; i++)
        if (!same_name(binder, attr->qualifier[attr->n_qualifier - n + i], parts[i]))
            return false;
    return true;
}

typedef struct matches {
    const ps_attr *first;
    int n;
    ps_bytes names; /* for AMBIGUOUS_REFERENCE */
} matches;

static ps_status add_match(matches *found, const ps_attr *attr, ps_error *err)
{
    if (found->first && found->first->id == attr->id)
        return PS_OK;
    if (found->n++)
        PS_TRY(ps_bytes_text(&found->names, ", ", err));
    else
        found->first = attr;
    if (attr->n_qualifier) {
        PS_TRY(quote_parts((const char *const *)attr->qualifier, attr->n_qualifier, &found->names, err));
        PS_TRY(ps_bytes_char(&found->names, '.', err));
    }
    return quote_parts((const char *const *)&attr->name, 1, &found->names, err);
}

static ps_status match_list(const ps_binder *binder, const ps_attrs *attrs, bool hidden, const ps_expr *name, int q, matches *found, ps_error *err)
{
    for (int i = 0; i < attrs->n; i++) {
        const ps_attr *attr = &attrs->items[i];
        if (attr->hidden == hidden && same_name(binder, attr->name, name->names[q]) &&
            qualifier_ends(binder, attr, name->names, q))
            PS_TRY(add_match(found, attr, err));
    }
    return PS_OK;
}

/* Longest qualifier first.  *n_used: the parts that name the column. */
static ps_status find_attr(const ps_binder *binder, const ps_expr *name, bool missing, matches *found, int *n_used, ps_error *err)
{
    const ps_scope *scope = binder->scope;

    for (int hidden = 0; hidden < 2; hidden++) {
        for (int q = name->n_names - 1 < 3 ? name->n_names - 1 : 3; q >= 0; q--) {
            if (missing) {
                if (scope->missing)
                    PS_TRY(match_list(binder, scope->missing, hidden, name, q, found, err));
            } else {
                for (int k = 0; k < scope->n_inputs; k++)
                    PS_TRY(match_list(binder, scope->inputs[k], hidden, name, q, found, err));
            }
            *n_used = q + 1;
            if (found->n)
                return PS_OK;
        }
    }
    return PS_OK;
}

/* --- parts of values --------------------------------------------------------------------------------------------------- */
ps_status psi_extract_part(ps_bound *base, const char *name, const ps_conf *conf, ps_bound **out, ps_error *err)
{
    ps_bound *args[2] = {base, NULL};
    ps_status rc = psi_text_literal(ps_slice_of(name), &args[1], err);

    *out = NULL;
    if (rc == PS_OK)
        rc = ps_bound_call("getitem", args, 2, conf, out, err);
    ps_bound_unref(args[1]);
    return rc;
}

/* Follows parts[from..) into `bound`, which is taken. */
static ps_status follow(const ps_binder *binder, const ps_expr *name, int from, ps_bound *bound, ps_bound **out, ps_error *err)
{
    for (int i = from; i < name->n_names; i++) {
        ps_bound *inner;
        ps_status rc = psi_extract_part(bound, name->names[i], binder->scope->conf, &inner, err);
        ps_bound_unref(bound);
        if (rc != PS_OK)
            return rc;
        bound = inner;
    }
    *out = bound;
    return PS_OK;
}

static ps_status bind_param(const psi_frame *frame, int i, ps_bound **out, ps_error *err)
{
    PS_TRY(psi_bound_new(PS_B_PARAM, frame->types[i], frame->nullable[i], out, err));
    (*out)->attr_id = frame->ids[i];
    if (ps_strdup(frame->lambda->names[i], &(*out)->name, err) != PS_OK ||
        ps_strdup("namedlambdavariable()", &(*out)->text, err) != PS_OK) {
        ps_bound_unref(*out);
        *out = NULL;
        return PS_E_NO_MEMORY;
    }
    return PS_OK;
}

/* The column under the name as the reference spells it. */
static ps_status column_as(const ps_attr *attr, const char *written, ps_bound **out, ps_error *err)
{
    char *text;

    PS_TRY(ps_strdup(written, &text, err));
    if (ps_bound_column(attr, out, err) != PS_OK) {
        ps_free(text);
        return PS_E_NO_MEMORY;
    }
    ps_free((*out)->text);
    (*out)->text = text;
    return PS_OK;
}

static ps_status bind_alias_name(const ps_binder *binder, const ps_expr *name, ps_bound **out, ps_error *err)
{
    const ps_scope *scope = binder->scope;

    for (int i = scope->n_aliases - 1; i >= 0; i--) {
        if (scope->aliases[i].bound && same_name(binder, scope->aliases[i].name, name->names[0])) {
            ps_bytes text = {0};
            ps_bound *bound;
            ps_status rc = ps_bytes_printf(&text, err, "lateralAliasReference(%s)", name->names[0]);
            if (rc == PS_OK)
                rc = psi_bound_retext(scope->aliases[i].bound, text.data, text.n_bytes, &bound, err);
            ps_bytes_clear(&text);
            return rc == PS_OK ? follow(binder, name, 1, bound, out, err) : rc;
        }
    }
    return PS_OK;
}

/* Functions that stand without parentheses, unless a column has that name. */
static ps_status bind_bare_function(const ps_binder *binder, const ps_expr *name, ps_bound **out, ps_error *err)
{
    static const char *const bare[] = {"current_date", "current_timestamp", "current_user", "session_user", "user", "localtimestamp"};

    for (size_t i = 0; i < PS_COUNT_OF(bare) && name->n_names == 1; i++)
        if (ps_stricmp(name->names[0], bare[i]) == 0 && ps_fn_find(ps_slice_of(bare[i])))
            return ps_bound_call(bare[i], NULL, 0, binder->scope->conf, out, err);
    return PS_OK;
}

ps_status psi_bind_name_parts(ps_binder *binder, const ps_expr *name, ps_bound **out, ps_error *err)
{
    matches found = {0};
    ps_bound *bound;
    int n_used = 0;
    ps_status rc = PS_OK;

    *out = NULL;
    for (const psi_frame *frame = binder->frame; frame; frame = frame->outer) {
        for (int i = 0; i < frame->lambda->n_names; i++) {
            if (same_name(binder, frame->lambda->names[i], name->names[0])) {
                PS_TRY(bind_param(frame, i, &bound, err));
                return follow(binder, name, 1, bound, out, err);
            }
        }
    }
    PS_TRY_OR(done, find_attr(binder, name, false, &found, &n_used, err));
    if (found.n == 0 && binder->scope->n_aliases > 0) {
        PS_TRY_OR(done, bind_alias_name(binder, name, out, err));
        if (*out)
            goto done;
    }
    if (found.n == 0)
        PS_TRY_OR(done, find_attr(binder, name, true, &found, &n_used, err));
    if (found.n == 0) {
        PS_TRY_OR(done, bind_bare_function(binder, name, out, err));
        if (*out)
            goto done;
        rc = raise_unresolved(binder->scope, (const char *const *)name->names, name->n_names, err);
    } else if (found.n > 1) {
        ps_bytes text = {0};
        rc = quote_parts((const char *const *)name->names, n_used, &text, err);
        if (rc == PS_OK)
            rc = ps_raise(err, PS_E_AMBIGUOUS_REFERENCE, text.data, found.names.data);
        ps_bytes_clear(&text);
    } else {
        PS_TRY_OR(done, column_as(found.first, name->names[n_used - 1], &bound, err));
        rc = follow(binder, name, n_used, bound, out, err);
    }
done:
    ps_bytes_clear(&found.names);
    return rc;
}

/* --- df["x"] --------------------------------------------------------------------------------------------------------------- */
static ps_status raise_missing(const ps_scope *scope, const ps_expr *expr, ps_error *err)
{
    ps_bytes input = {0};
    bool named = false;
    ps_status rc = ps_bytes_char(&input, '"', err);
    int n = 0;

    for (int k = 0; k < scope->n_inputs; k++) {
        for (int i = 0; i < scope->inputs[k]->n && rc == PS_OK; i++) {
            named |= ps_stricmp(scope->inputs[k]->items[i].name, expr->names[0]) == 0;
            rc = ps_bytes_printf(&input, err, "%s%s", n++ ? "\", \"" : "", scope->inputs[k]->items[i].name);
        }
    }
    if (rc == PS_OK)
        rc = ps_bytes_char(&input, '"', err);
    if (rc == PS_OK)
        rc = named ? ps_raise(err, PS_E_MISSING_ATTRIBUTE_NAMED, expr->names[0], input.data, expr->names[0])
                   : ps_raise(err, PS_E_MISSING_ATTRIBUTE, expr->names[0], input.data);
    ps_bytes_clear(&input);
    return rc;
}

ps_status psi_bind_attr(ps_binder *binder, const ps_expr *expr, ps_bound **out, ps_error *err)
{
    const ps_scope *scope = binder->scope;
    int at;

    for (int k = 0; k < scope->n_inputs; k++)
        if ((at = ps_attrs_find_id(scope->inputs[k], expr->attr_id)) >= 0)
            return column_as(&scope->inputs[k]->items[at], expr->names[0], out, err);
    if (scope->missing && (at = ps_attrs_find_id(scope->missing, expr->attr_id)) >= 0)
        return column_as(&scope->missing->items[at], expr->names[0], out, err);
    return raise_missing(scope, expr, err);
}

/* --- stars ------------------------------------------------------------------------------------------------------------------- */
void psi_exprs_clear(psi_exprs *list)
{
    for (int i = 0; i < list->n; i++)
        ps_expr_unref(list->items[i]);
    ps_free(list->items);
    *list = (psi_exprs){0};
}

static ps_status push_taken(psi_exprs *list, ps_expr *expr, ps_error *err)
{
    ps_status rc = PS_PUSH(list, expr, err);

    if (rc != PS_OK)
        ps_expr_unref(expr);
    return rc;
}

/* Whether `* EXCEPT (...)` leaves the column out; counts[] how often each of its names was met. */
static bool excepted(const ps_binder *binder, const ps_expr *star, const char *name, int *counts)
{
    bool found = false;

    for (int i = 0; i < star->n_args; i++) {
        const ps_expr *out = star->args[i];
        if (same_name(binder, out->names[out->n_names - 1], name)) {
            counts[i]++;
            found = true;
        }
    }
    return found;
}

static ps_status expand_struct(ps_binder *binder, const ps_expr *star, int *counts, psi_exprs *list, ps_error *err)
{
    ps_expr *name = NULL, *field = NULL, *call;
    ps_bound *bound = NULL;
    ps_bytes shown = {0}, input = {0};
    ps_status rc;

    PS_TRY(ps_expr_name((const char *const *)star->names, star->n_names, &name, err));
    rc = psi_bind_expr(binder, name, &bound, err);
    if (rc == PS_E_NO_MEMORY)
        goto done;
    if (rc != PS_OK || bound->type->kind != PS_STRUCT) {
        PS_TRY_OR(done, quote_parts((const char *const *)star->names, star->n_names, &shown, err));
        for (int k = 0; k < binder->scope->n_inputs; k++)
            for (int i = 0; i < binder->scope->inputs[k]->n; i++)
                PS_TRY_OR(done, ps_bytes_printf(&input, err, "%s`%s`", input.n_bytes ? ", " : "", binder->scope->inputs[k]->items[i].name));
        rc = ps_raise(err, PS_E_STAR_EXPAND, shown.data, input.data ? input.data : "");
        goto done;
    }
    for (int i = 0; i < bound->type->n_fields; i++) {
        const char *field_name = bound->type->fields[i].name;
        if (excepted(binder, star, field_name, counts))
            continue;
        PS_TRY_OR(done, ps_expr_literal_text(ps_slice_of(field_name), &field, err));
        rc = ps_expr_call("getitem", (ps_expr *[]){name, field}, 2, &call, err);
        ps_expr_unref(field);
        field = NULL;
        if (rc != PS_OK)
            goto done;
        rc = ps_expr_alias(call, &field_name, 1, NULL, &field, err);
        ps_expr_unref(call);
        if (rc != PS_OK)
            goto done;
        PS_TRY_OR(done, push_taken(list, field, err));
        field = NULL;
    }
done:
    ps_expr_unref(name);
    ps_bound_unref(bound);
    ps_bytes_clear(&shown);
    ps_bytes_clear(&input);
    return rc;
}

ps_status psi_expand_star(ps_binder *binder, const ps_expr *star, psi_exprs *list, ps_error *err)
{
    const ps_scope *scope = binder->scope;
    int *counts = NULL;
    bool any = false;
    ps_status rc = PS_OK;

    PS_TRY(ps_alloc0((size_t)(star->n_args + 1) * sizeof *counts, &counts, err));
    for (int k = 0; k < scope->n_inputs && rc == PS_OK; k++) {
        for (int i = 0; i < scope->inputs[k]->n && rc == PS_OK; i++) {
            const ps_attr *attr = &scope->inputs[k]->items[i];
            ps_expr *expr;
            if (attr->hidden || !qualifier_ends(binder, attr, star->names, star->n_names))
                continue;
            any = true;
            if (excepted(binder, star, attr->name, counts))
                continue;
            rc = ps_expr_attr(attr->id, attr->name, &expr, err);
            if (rc == PS_OK)
                rc = push_taken(list, expr, err);
        }
    }
    if (rc == PS_OK && !any && star->n_names > 0)
        rc = expand_struct(binder, star, counts, list, err);
    for (int i = 0; i < star->n_args && rc == PS_OK; i++)
        if (counts[i] == 0)
            rc = raise_unresolved(scope, (const char *const *)star->args[i]->names, star->args[i]->n_names, err);
    ps_free(counts);
    return rc;
}
