/*
 * op/join.c - the plan of a join: its kind, its keys, and what is left of its condition.
 */
#include "op/join.h"
#include "expr/function.h"
#include "op/join_int.h"
#include "op/project.h"

static const struct {
    const char *spelling;
    ps_join_kind kind;
} spellings[] = {
    {"inner", PS_JOIN_INNER},     {"cross", PS_JOIN_CROSS},     {"outer", PS_JOIN_FULL},    {"full", PS_JOIN_FULL},
    {"fullouter", PS_JOIN_FULL},  {"left", PS_JOIN_LEFT},       {"leftouter", PS_JOIN_LEFT}, {"right", PS_JOIN_RIGHT},
    {"rightouter", PS_JOIN_RIGHT}, {"semi", PS_JOIN_SEMI},      {"leftsemi", PS_JOIN_SEMI}, {"anti", PS_JOIN_ANTI},
    {"leftanti", PS_JOIN_ANTI},
};

const char *ps_join_kind_name(ps_join_kind kind)
{
    static const char *const names[] = {"Inner", "Cross", "LeftOuter", "RightOuter", "FullOuter", "LeftSemi", "LeftAnti"};
    return names[kind];
}

bool ps_join_kind_get(const ps_node *node, ps_join_kind *out)
{
    if (strcmp(node->row->kind, "join") != 0)
        return false;
    *out = ((const psi_join_spec *)node->spec)->kind;
    return true;
}

static ps_status parse_kind(const char *how, ps_join_kind *out, ps_error *err)
{
    char plain[32];
    size_t n = 0;

    for (const char *c = how; *c && n + 1 < sizeof plain; c++)
        if (*c != '_')
            plain[n++] = *c;
    plain[n] = '\0';
    for (size_t i = 0; i < PS_COUNT_OF(spellings); i++)
        if (ps_stricmp(plain, spellings[i].spelling) == 0) {
            *out = spellings[i].kind;
            return PS_OK;
        }
    return ps_raise(err, PS_E_UNSUPPORTED_JOIN_TYPE, how);
}

PSI_OP_FREE(psi_join_free)
{
    psi_join_spec *join = spec;

    for (int side = 0; side < 2; side++) {
        for (int i = 0; join->keys[side] && i < join->n_keys; i++)
            ps_bound_unref(join->keys[side][i]);
        ps_free(join->keys[side]);
    }
    ps_free(join->null_safe);
    ps_bound_unref(join->residual);
    ps_free(join);
}

/* --- the condition --------------------------------------------------------------------------------------- */

typedef struct conjuncts {
    ps_bound **items; /* borrowed from the condition */
    int n, capacity;
} conjuncts;

static ps_status split(ps_bound *bound, conjuncts *out, ps_error *err)
{
    if (bound->kind == PS_B_CALL && strcmp(bound->fn->name, "and") == 0) {
        for (int i = 0; i < bound->n_args; i++)
            PS_TRY(split(bound->args[i], out, err));
        return PS_OK;
    }
    return PS_PUSH(out, bound, err);
}

/* Bit 0: uses the left side, bit 1: the right. */
static ps_status sides_used(const ps_bound *bound, const ps_node *node, int *out, ps_error *err)
{
    ps_ids ids = {0};
    ps_status rc = ps_ids_add_bound(&ids, bound, err);

    *out = 0;
    for (int i = 0; rc == PS_OK && i < ids.n; i++)
        *out |= ps_attrs_find_id(&node->inputs[0]->out, ids.items[i]) >= 0 ? 1 : 2;
    ps_ids_clear(&ids);
    return rc;
}

static ps_status is_key(const ps_bound *bound, const ps_node *node, int *left_arg, bool *null_safe, ps_error *err)
{
    int used[2];

    *left_arg = -1;
    if (bound->kind != PS_B_CALL || bound->n_args != 2)
        return PS_OK;
    *null_safe = strcmp(bound->fn->name, "<=>") == 0;
    if (!*null_safe && strcmp(bound->fn->name, "=") != 0 && strcmp(bound->fn->name, "==") != 0)
        return PS_OK;
    PS_TRY(sides_used(bound->args[0], node, &used[0], err));
    PS_TRY(sides_used(bound->args[1], node, &used[1], err));
    if (used[0] == 1 && used[1] == 2)
        *left_arg = 0;
    else if (used[0] == 2 && used[1] == 1)
        *left_arg = 1;
    return PS_OK;
}

/* The equalities between the sides become keys, the rest stays a condition. */
static ps_status set_condition(psi_join_spec *spec, const ps_node *node, ps_bound *condition, const ps_conf *conf, ps_error *err)
{
    conjuncts parts = {0};
    ps_status rc;

    PS_TRY_OR(done, split(condition, &parts, err));
    for (int side = 0; side < 2; side++)
        PS_TRY_OR(done, ps_alloc0((size_t)parts.n * sizeof(ps_bound *), &spec->keys[side], err));
    PS_TRY_OR(done, ps_alloc0((size_t)parts.n, &spec->null_safe, err));
    for (int i = 0; i < parts.n; i++) {
        bool null_safe = false;
        int left_arg;

        PS_TRY_OR(done, is_key(parts.items[i], node, &left_arg, &null_safe, err));
        if (left_arg >= 0) {
            spec->keys[0][spec->n_keys] = ps_bound_ref(parts.items[i]->args[left_arg]);
            spec->keys[1][spec->n_keys] = ps_bound_ref(parts.items[i]->args[1 - left_arg]);
            spec->null_safe[spec->n_keys++] = null_safe;
        } else if (!spec->residual) {
            spec->residual = ps_bound_ref(parts.items[i]);
        } else {
            ps_bound *both[2] = {spec->residual, parts.items[i]}, *made = NULL;

            PS_TRY_OR(done, ps_bound_call("and", both, 2, conf, &made, err));
            ps_bound_unref(spec->residual);
            spec->residual = made;
        }
    }
    rc = PS_OK;
done:
    ps_free(parts.items);
    return rc;
}

/* --- binding ------------------------------------------------------------------------------------------------ */

static bool becomes_nullable(ps_join_kind kind, int side)
{
    return kind == PS_JOIN_FULL || (kind == PS_JOIN_LEFT && side == 1) || (kind == PS_JOIN_RIGHT && side == 0);
}

static ps_status set_outputs(ps_node *node, const ps_ids *wanted, ps_error *err)
{
    const psi_join_spec *spec = node->spec;

    for (int side = 0; side < (psi_join_gives_right(spec->kind) ? 2 : 1); side++) {
        const ps_attrs *from = &node->inputs[side]->out;

        for (int i = 0; i < from->n; i++) {
            if (wanted && !ps_ids_has(wanted, from->items[i].id))
                continue;
            PS_TRY(ps_attrs_add_copy(&node->out, &from->items[i], err));
            if (becomes_nullable(spec->kind, side))
                node->out.items[node->out.n - 1].nullable = true;
        }
    }
    return PS_OK;
}

/* A self-join: the right side's attributes that the left has too get new ids. */
static ps_status renew_right(ps_node *node, const ps_conf *conf, ps_error *err)
{
    const ps_attrs *left = &node->inputs[0]->out, *right = &node->inputs[1]->out;
    ps_named_list list = {0};
    ps_node *made = NULL;
    bool clash = false;
    ps_status rc;

    for (int i = 0; i < right->n; i++)
        clash = clash || ps_attrs_find_id(left, right->items[i].id) >= 0;
    if (!clash)
        return PS_OK;
    for (int i = 0; i < right->n; i++) {
        ps_named none = {0};

        if (right->items[i].hidden)
            continue;
        PS_TRY_OR(fail, PS_PUSH(&list, none, err));
        PS_TRY_OR(fail, ps_named_pass(&right->items[i], &list.items[list.n - 1], err));
        list.items[list.n - 1].attr_id = ps_attr_new_id();
    }
    PS_TRY(ps_project_node(node->inputs[1], &list, conf, &made, err));
    for (int i = 0, at = 0; i < right->n; i++)
        if (!right->items[i].hidden && right->items[i].n_qualifier > 0)
            PS_TRY_OR(fail, ps_attr_qualify(&made->out.items[at++], (const char *const *)right->items[i].qualifier, right->items[i].n_qualifier, err));
        else
            at += !right->items[i].hidden;
    ps_node_unref(node->inputs[1]);
    node->inputs[1] = made;
    return PS_OK;
fail:
    ps_named_list_clear(&list);
    ps_node_unref(made);
    return rc;
}

static ps_status find_using(const ps_node *node, int side, const char *name, const ps_conf *conf, const ps_attr **out, ps_error *err)
{
    const ps_attrs *from = &node->inputs[side]->out;
    ps_bytes names = {0};

    *out = NULL;
    for (int i = 0; i < from->n; i++) {
        bool same = ps_conf_same_name(conf, from->items[i].name, name);

        if (same && !from->items[i].hidden && *out)
            return ps_raise(err, PS_E_AMBIGUOUS_USING, name);
        if (same && !from->items[i].hidden)
            *out = &from->items[i];
    }
    if (*out)
        return PS_OK;
    for (int i = 0; i < from->n; i++)
        if (!from->items[i].hidden && ps_bytes_printf(&names, NULL, "%s`%s`", names.n_bytes ? ", " : "", from->items[i].name) != PS_OK)
            break; /* the message then names fewer */
    ps_raise(err, PS_E_UNRESOLVED_USING, name, side == 0 ? "left" : "right", names.data ? names.data : "");
    ps_bytes_clear(&names);
    return PS_E_UNRESOLVED_USING;
}

/* The columns of a USING join: the keys once and first, then the others of both sides. */
static ps_status using_list(const ps_node *node, ps_join_kind kind, const ps_attr *const *left, const ps_attr *const *right, int n, const ps_conf *conf, ps_named_list *list, ps_error *err)
{
    for (int k = 0; k < n; k++) {
        ps_named none = {0}, *named;

        PS_TRY(PS_PUSH(list, none, err));
        named = &list->items[list->n - 1];
        PS_TRY(ps_named_pass(kind == PS_JOIN_RIGHT ? right[k] : left[k], named, err));
        if (kind == PS_JOIN_FULL) {
            ps_bound *sides[2] = {NULL, NULL}, *both = NULL;
            ps_status rc = ps_bound_column(left[k], &sides[0], err);

            rc = rc == PS_OK ? ps_bound_column(right[k], &sides[1], err) : rc;
            rc = rc == PS_OK ? ps_bound_call("coalesce", sides, 2, conf, &both, err) : rc;
            ps_bound_unref(sides[0]);
            ps_bound_unref(sides[1]);
            PS_TRY(rc);
            ps_bound_unref(named->bound);
            named->bound = both;
            named->attr_id = ps_attr_new_id();
        }
    }
    for (int i = 0; i < node->out.n; i++) {
        const ps_attr *attr = &node->out.items[i];
        ps_named none = {0};
        bool key = attr->hidden;

        for (int k = 0; k < n; k++)
            key = key || attr->id == left[k]->id || attr->id == right[k]->id;
        if (key)
            continue;
        PS_TRY(PS_PUSH(list, none, err));
        PS_TRY(ps_named_pass(attr, &list->items[list->n - 1], err));
    }
    return PS_OK;
}

static ps_status bind_using(ps_node **node, const ps_arg *on, const ps_args *args, ps_error *err)
{
    psi_join_spec *spec = (*node)->spec;
    const ps_attr **keys[2] = {NULL, NULL};
    ps_bound *condition = NULL;
    ps_named_list list = {0};
    ps_node *made = NULL;
    ps_status rc;

    for (int side = 0; side < 2; side++)
        PS_TRY_OR(done, ps_alloc0((size_t)on->n * sizeof **keys, &keys[side], err));
    for (int k = 0; k < on->n; k++) {
        ps_bound *sides[2] = {NULL, NULL}, *equal = NULL, *both[2], *all = NULL;

        rc = PS_OK;
        for (int side = 0; rc == PS_OK && side < 2; side++) {
            rc = find_using(*node, side, on->texts[k], args->conf, &keys[side][k], err);
            if (rc == PS_OK)
                rc = ps_bound_column(keys[side][k], &sides[side], err);
        }
        if (rc == PS_OK)
            rc = ps_bound_call("=", sides, 2, args->conf, &equal, err);
        ps_bound_unref(sides[0]);
        ps_bound_unref(sides[1]);
        if (rc == PS_OK && condition) {
            both[0] = condition;
            both[1] = equal;
            rc = ps_bound_call("and", both, 2, args->conf, &all, err);
            ps_bound_unref(condition);
            ps_bound_unref(equal);
            equal = all;
        }
        condition = equal;
        if (rc != PS_OK)
            goto done;
    }
    PS_TRY_OR(done, set_condition(spec, *node, condition, args->conf, err));
    PS_TRY_OR(done, set_outputs(*node, NULL, err));
    PS_TRY_OR(done, using_list(*node, spec->kind, keys[0], keys[1], on->n, args->conf, &list, err));
    PS_TRY_OR(done, ps_project_node(*node, &list, args->conf, &made, err));
    ps_node_unref(*node);
    *node = made;
done:
    ps_named_list_clear(&list);
    ps_bound_unref(condition);
    ps_free(keys[0]);
    ps_free(keys[1]);
    return rc;
}

static ps_status bind_condition(ps_node *node, const ps_arg *on, const ps_conf *conf, ps_error *err)
{
    const ps_attrs *inputs[2];
    ps_bound *condition = NULL;
    ps_scope scope;
    ps_status rc;

    if (!on || on->n == 0)
        return set_outputs(node, NULL, err);
    ps_node_scope(node, conf, inputs, &scope);
    scope.is_join = true;
    PS_TRY(ps_bind_condition(on->exprs[0], &scope, &condition, err));
    rc = set_condition(node->spec, node, condition, conf, err);
    ps_bound_unref(condition);
    return rc == PS_OK ? set_outputs(node, NULL, err) : rc;
}

PSI_OP_BIND(psi_join_bind)
{
    const ps_arg *on = ps_args_find(args, "on");
    psi_join_spec *spec = NULL;

    PS_TRY(ps_alloc0(sizeof *spec, &spec, err));
    (*node)->spec = spec;
    PS_TRY(parse_kind(ps_args_text(args, "how", "inner"), &spec->kind, err));
    PS_TRY(renew_right(*node, args->conf, err));
    if (on && on->kind == PS_A_TEXTS && on->n > 0)
        return bind_using(node, on, args, err);
    return bind_condition(*node, on, args->conf, err);
}

PSI_OP_NEEDS(psi_join_needs)
{
    const psi_join_spec *spec = node->spec;
    const ps_attrs *from = &node->inputs[input]->out;
    ps_ids used = {0};
    ps_status rc = PS_OK;

    for (int i = 0; i < spec->n_keys; i++)
        PS_TRY(ps_ids_add_bound(out, spec->keys[input][i], err));
    if (spec->residual)
        rc = ps_ids_add_bound(&used, spec->residual, err);
    for (int i = 0; rc == PS_OK && i < from->n; i++)
        if (ps_ids_has(wanted, from->items[i].id) || ps_ids_has(&used, from->items[i].id))
            rc = ps_ids_add(out, from->items[i].id, err);
    ps_ids_clear(&used);
    return rc;
}

PSI_OP_REMAKE(psi_join_remake)
{
    const psi_join_spec *from = node->spec;
    psi_join_spec *spec = NULL;
    ps_node *made = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_node_new(node->row, inputs, 2, &made, err));
    PS_TRY_OR(fail, ps_alloc0(sizeof *spec, &spec, err));
    made->spec = spec;
    spec->kind = from->kind;
    for (int side = 0; side < 2; side++)
        PS_TRY_OR(fail, ps_alloc0((size_t)from->n_keys * sizeof(ps_bound *), &spec->keys[side], err));
    PS_TRY_OR(fail, ps_alloc0((size_t)from->n_keys, &spec->null_safe, err));
    for (int i = 0; i < from->n_keys; i++) {
        spec->keys[0][i] = ps_bound_ref(from->keys[0][i]);
        spec->keys[1][i] = ps_bound_ref(from->keys[1][i]);
        spec->null_safe[i] = from->null_safe[i];
    }
    spec->n_keys = from->n_keys;
    spec->residual = ps_bound_ref(from->residual);
    PS_TRY_OR(fail, set_outputs(made, wanted, err));
    *out = made;
    return PS_OK;
fail:
    ps_node_unref(made);
    return rc;
}

PSI_OP_DESCRIBE(psi_join_describe)
{
    const psi_join_spec *spec = node->spec;

    PS_TRY(ps_bytes_printf(out, err, "Join %s", ps_join_kind_name(spec->kind)));
    for (int i = 0; i < spec->n_keys; i++) {
        PS_TRY(ps_bytes_text(out, i ? " AND (" : ", (", err));
        PS_TRY(ps_bound_text(spec->keys[0][i], out, err));
        PS_TRY(ps_bytes_text(out, spec->null_safe[i] ? " <=> " : " = ", err));
        PS_TRY(ps_bound_text(spec->keys[1][i], out, err));
        PS_TRY(ps_bytes_char(out, ')', err));
    }
    if (spec->residual) {
        PS_TRY(ps_bytes_text(out, ", ", err));
        PS_TRY(ps_bound_text(spec->residual, out, err));
    }
    return PS_OK;
}
