/*
 * op/node.c - plan nodes: the table of kinds, arguments, reference counts.
 */
#include "op/op.h"
#include "op/op_int.h"
#include "op/project.h"

static const ps_op_row op_rows[] = {
#define PS_OP(kind, min, max, bind, free_spec, needs, remake, open, describe, flags, state_name)   \
    {#kind, min, max, bind, free_spec, needs, remake, open, describe, flags, state_name},
#include "op/ops.def"
#undef PS_OP
};

const ps_op_row *ps_op_find(const char *kind)
{
    for (size_t i = 0; i < PS_COUNT_OF(op_rows); i++)
        if (strcmp(op_rows[i].kind, kind) == 0)
            return &op_rows[i];
    return NULL;
}

const ps_arg *ps_args_find(const ps_args *args, const char *name)
{
    for (int i = 0; i < args->n; i++)
        if (strcmp(args->items[i].name, name) == 0)
            return &args->items[i];
    return NULL;
}

int64_t ps_args_int(const ps_args *args, const char *name, int64_t fallback)
{
    const ps_arg *arg = ps_args_find(args, name);
    return arg && arg->kind == PS_A_INT ? arg->number : fallback;
}

const char *ps_args_text(const ps_args *args, const char *name, const char *fallback)
{
    const ps_arg *arg = ps_args_find(args, name);
    return arg && arg->kind == PS_A_TEXTS && arg->n > 0 ? arg->texts[0] : fallback;
}

bool ps_ids_has(const ps_ids *ids, int64_t id)
{
    for (int i = 0; i < ids->n; i++)
        if (ids->items[i] == id)
            return true;
    return false;
}

uint64_t ps_ids_fields(const ps_ids *ids, int64_t id)
{
    for (int i = 0; i < ids->n; i++)
        if (ids->items[i] == id)
            return ids->fields[i];
    return 0;
}

ps_status ps_ids_add(ps_ids *ids, int64_t id, ps_error *err) { return ps_ids_add_fields(ids, id, PS_ALL_FIELDS, err); }

ps_status ps_ids_add_fields(ps_ids *ids, int64_t id, uint64_t fields, ps_error *err)
{
    for (int i = 0; i < ids->n; i++) {
        if (ids->items[i] == id) {
            ids->fields[i] |= fields;
            return PS_OK;
        }
    }
    PS_TRY(ps_grow(&ids->items, ids->n, &ids->capacity, sizeof *ids->items, err));
    PS_TRY(ps_grow(&ids->fields, ids->n, &ids->fields_capacity, sizeof *ids->fields, err));
    ids->items[ids->n] = id;
    ids->fields[ids->n++] = fields;
    return PS_OK;
}

static ps_status add_uses(ps_ids *ids, const ps_bound *bound, uint64_t fields, ps_error *err)
{
    int field = ps_bound_field(bound);

    if (bound->kind == PS_B_COLUMN)
        PS_TRY(ps_ids_add_fields(ids, bound->attr_id, fields, err));
    for (int i = 0; i < bound->n_args; i++)
        PS_TRY(add_uses(ids, bound->args[i], i == 0 && field >= 0 && field < 63 ? (uint64_t)1 << field : PS_ALL_FIELDS, err));
    return bound->filter ? add_uses(ids, bound->filter, PS_ALL_FIELDS, err) : PS_OK;
}

ps_status ps_ids_add_bound(ps_ids *ids, const ps_bound *bound, ps_error *err) { return add_uses(ids, bound, PS_ALL_FIELDS, err); }

void ps_ids_clear(ps_ids *ids)
{
    ps_free(ids->items);
    ps_free(ids->fields);
    *ids = (ps_ids){0};
}

ps_node *ps_node_ref(ps_node *node)
{
    if (node)
        ps_refs_inc(&node->refs);
    return node;
}

void ps_node_unref(ps_node *node)
{
    if (!node || !ps_refs_dec(&node->refs))
        return;
    if (node->spec && node->row->free_spec)
        node->row->free_spec(node->spec);
    ps_attrs_clear(&node->out);
    for (int i = 0; i < node->n_inputs; i++)
        ps_node_unref(node->inputs[i]);
    ps_free(node->inputs);
    ps_free(node);
}

ps_status ps_node_new(const ps_op_row *row, ps_node *const *inputs, int n_inputs, ps_node **out, ps_error *err)
{
    ps_node *node = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *node, &node, err));
    ps_refs_init(&node->refs);
    node->row = row;
    node->id = ps_attr_new_id();
    PS_TRY_OR(fail, ps_alloc0((size_t)n_inputs * sizeof *node->inputs, &node->inputs, err));
    for (int i = 0; i < n_inputs; i++) {
        node->inputs[i] = ps_node_ref(inputs[i]);
        node->n_inputs++;
        node->streaming = node->streaming || inputs[i]->streaming;
    }
    *out = node;
    return PS_OK;
fail:
    ps_node_unref(node);
    return rc;
}

ps_status ps_node_make(const char *kind, ps_node *const *inputs, int n_inputs, const ps_args *args, ps_node **out, ps_error *err)
{
    const ps_op_row *row = ps_op_find(kind);
    ps_node *node = NULL;
    ps_status rc;

    *out = NULL;
    if (!row || !row->bind)
        return ps_raise(err, PS_E_NOT_BUILT, kind);
    if (n_inputs < row->min_inputs || (row->max_inputs >= 0 && n_inputs > row->max_inputs))
        return ps_raise(err, PS_E_INTERNAL, "wrong number of inputs for a plan node");
    PS_TRY(ps_node_new(row, inputs, n_inputs, &node, err));
    if ((rc = row->bind(args, &node, err)) != PS_OK) {
        ps_node_unref(node);
        return rc;
    }
    *out = node;
    return PS_OK;
}

void ps_node_scope(const ps_node *node, const ps_conf *conf, const ps_attrs **inputs, ps_scope *scope)
{
    *scope = (ps_scope){.inputs = inputs, .n_inputs = node->n_inputs, .conf = conf};
    for (int i = 0; i < node->n_inputs; i++)
        inputs[i] = &node->inputs[i]->out;
}

ps_status ps_node_schema(const ps_node *node, const ps_type **out, ps_error *err)
{
    return ps_attrs_type(&node->out, out, err);
}

ps_status psi_node_pass_through(ps_node *node, ps_error *err)
{
    const ps_attrs *from = &node->inputs[0]->out;

    for (int i = 0; i < from->n; i++)
        PS_TRY(ps_attrs_add_copy(&node->out, &from->items[i], err));
    return PS_OK;
}

ps_status psi_node_add_wanted(ps_node *node, const ps_attrs *from, const ps_ids *wanted, ps_error *err)
{
    for (int i = 0; i < from->n; i++)
        if (ps_ids_has(wanted, from->items[i].id))
            PS_TRY(ps_attrs_add_copy(&node->out, &from->items[i], err));
    return PS_OK;
}

int psi_attrs_find_name(const ps_attrs *attrs, const char *name, const ps_conf *conf)
{
    for (int i = 0; i < attrs->n; i++)
        if (!attrs->items[i].hidden && ps_conf_same_name(conf, attrs->items[i].name, name))
            return i;
    return -1;
}

ps_status psi_attrs_text(const ps_attrs *attrs, ps_bytes *out, ps_error *err)
{
    bool first = true;

    for (int i = 0; i < attrs->n; i++) {
        if (attrs->items[i].hidden)
            continue;
        PS_TRY(ps_bytes_printf(out, err, "%s%s#%lld", first ? "" : ", ", attrs->items[i].name, (long long)attrs->items[i].id));
        first = false;
    }
    return PS_OK;
}

ps_status psi_bind_exprs(const ps_args *args, const ps_arg *arg, const ps_node *node, bool aggregates, ps_named_list *out, ps_error *err)
{
    const ps_attrs *inputs[2];
    ps_scope scope;

    ps_node_scope(node, args->conf, inputs, &scope);
    scope.allow_aggregates = aggregates;
    return ps_bind_list(arg->exprs, arg->n, &scope, out, err);
}

ps_status ps_plan_env(const ps_conf *conf, ps_eval_env *env, ps_error *err)
{
    memset(env, 0, sizeof *env);
    env->conf = conf;
    env->ansi = ps_conf_bool(conf, "spark.sql.ansi.enabled");
    return ps_zone_find(ps_conf_get(conf, "spark.sql.session.timeZone"), &env->zone, err);
}
