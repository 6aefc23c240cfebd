/*
 * op/union.c - the rows of several inputs, one after another, by position or by name.
 */
#include "col/type_text.h"
#include "op/op_int.h"
#include "op/project.h"

/* `ids[input * n + i]`: the attribute of an input that is output i. */
typedef struct union_spec {
    int64_t *ids;
    int n;
} union_spec;

typedef struct union_op {
    ps_op op;
    int *columns; /* per input and output: the input's column */
} union_op;

PSI_OP_FREE(psi_union_free)
{
    ps_free(((union_spec *)spec)->ids);
    ps_free(spec);
}

static int n_visible(const ps_attrs *attrs)
{
    int n = 0;

    for (int i = 0; i < attrs->n; i++)
        n += !attrs->items[i].hidden;
    return n;
}

static const ps_attr *visible_attr(const ps_attrs *attrs, int at)
{
    for (int i = 0; i < attrs->n; i++)
        if (!attrs->items[i].hidden && at-- == 0)
            return &attrs->items[i];
    return NULL;
}

static ps_status common_types(const ps_node *node, int n, const ps_conf *conf, const ps_type **types, ps_error *err)
{
    bool ansi = ps_conf_bool(conf, "spark.sql.ansi.enabled");

    for (int c = 0; c < n; c++) {
        types[c] = ps_type_ref(visible_attr(&node->inputs[0]->out, c)->type);
        for (int k = 1; k < node->n_inputs; k++) {
            const ps_type *other = visible_attr(&node->inputs[k]->out, c)->type, *both = NULL;

            PS_TRY(ps_common_type(types[c], other, ansi, &both, err));
            if (!both)
                return ps_raise(err, PS_E_INCOMPATIBLE_COLUMN_TYPE, "UNION", c + 1, k + 1, ps_type_name(other), ps_type_name(types[c]));
            ps_type_unref(types[c]);
            types[c] = both;
        }
    }
    return PS_OK;
}

/* The input with its columns cast to `types`; a reference when nothing is to be cast. */
static ps_status cast_input(ps_node *input, const ps_type *const *types, int n, const ps_conf *conf, ps_node **out, ps_error *err)
{
    ps_named_list list = {0};
    bool same = true;
    ps_status rc = PS_OK;

    *out = NULL;
    for (int c = 0; c < n; c++)
        same = same && ps_type_equal_ignoring_null(visible_attr(&input->out, c)->type, types[c]);
    if (same) {
        *out = ps_node_ref(input);
        return PS_OK;
    }
    for (int c = 0; c < n; c++) {
        const ps_attr *attr = visible_attr(&input->out, c);
        ps_named none = {0}, *named;
        ps_bound *cast = NULL;

        PS_TRY_OR(fail, PS_PUSH(&list, none, err));
        named = &list.items[list.n - 1];
        PS_TRY_OR(fail, ps_named_pass(attr, named, err));
        PS_TRY_OR(fail, ps_bound_cast(named->bound, types[c], false, conf, &cast, err));
        if (cast != named->bound)
            named->attr_id = ps_attr_new_id();
        ps_bound_unref(named->bound);
        named->bound = cast;
    }
    return ps_project_node(input, &list, conf, out, err);
fail:
    ps_named_list_clear(&list);
    return rc;
}

static ps_status set_outputs(ps_node *node, union_spec *spec, const ps_type *const *types, ps_error *err)
{
    PS_TRY(ps_alloc((size_t)(spec->n * node->n_inputs) * sizeof *spec->ids, &spec->ids, err));
    for (int c = 0; c < spec->n; c++) {
        const ps_attr *first = visible_attr(&node->inputs[0]->out, c);
        ps_attr *attr;
        bool nullable = false;

        for (int k = 0; k < node->n_inputs; k++) {
            const ps_attr *from = visible_attr(&node->inputs[k]->out, c);
            spec->ids[k * spec->n + c] = from->id;
            nullable = nullable || from->nullable;
        }
        /* The first input's attributes are the result's: df["x"] of it still resolves, its event-time mark stays. */
        PS_TRY(ps_attrs_add_copy(&node->out, first, err));
        attr = &node->out.items[node->out.n - 1];
        ps_type_unref(attr->type);
        attr->type = ps_type_ref(types[c]);
        attr->nullable = nullable;
    }
    return PS_OK;
}

PSI_OP_BIND(psi_union_bind)
{
    int n = n_visible(&(*node)->inputs[0]->out);
    const ps_type **types = NULL;
    union_spec *spec = NULL;
    ps_status rc;

    for (int k = 1; k < (*node)->n_inputs; k++) {
        int other = n_visible(&(*node)->inputs[k]->out);
        if (other != n)
            return ps_raise(err, PS_E_NUM_COLUMNS_MISMATCH, "UNION", n, k + 1, other);
    }
    PS_TRY(ps_alloc0((size_t)n * sizeof *types, &types, err));
    PS_TRY_OR(done, common_types(*node, n, args->conf, types, err));
    for (int k = 0; k < (*node)->n_inputs; k++) {
        ps_node *cast = NULL;
        PS_TRY_OR(done, cast_input((*node)->inputs[k], types, n, args->conf, &cast, err));
        ps_node_unref((*node)->inputs[k]);
        (*node)->inputs[k] = cast;
    }
    PS_TRY_OR(done, ps_alloc0(sizeof *spec, &spec, err));
    (*node)->spec = spec;
    spec->n = n;
    rc = set_outputs(*node, spec, types, err);
done:
    for (int c = 0; c < n; c++)
        ps_type_unref(types[c]);
    ps_free(types);
    return rc;
}

static ps_status add_null(ps_named_list *list, const ps_attr *like, ps_error *err)
{
    ps_named none = {0};
    ps_vec *null = NULL;
    ps_named *named;
    ps_status rc;

    PS_TRY(PS_PUSH(list, none, err));
    named = &list->items[list->n - 1];
    PS_TRY(ps_vec_null(like->type, 1, &null, err));
    rc = ps_bound_literal(null, &named->bound, err);
    ps_vec_unref(null);
    PS_TRY(rc);
    named->attr_id = ps_attr_new_id();
    named->watermark_ms = -1;
    return ps_strdup(like->name, &named->name, err);
}

static ps_status add_named(ps_named_list *list, const ps_attr *attr, ps_error *err)
{
    ps_named none = {0};

    PS_TRY(PS_PUSH(list, none, err));
    return ps_named_pass(attr, &list->items[list->n - 1], err);
}

/* `side` laid out as the columns of `like`, then (when missing ones are allowed) its own others as `like` has them not. */
static ps_status lay_out(ps_node *side, const ps_attrs *like, const ps_attrs *others, bool allow_missing, const ps_conf *conf, ps_node **out, ps_error *err)
{
    ps_named_list list = {0};
    ps_status rc = PS_OK;

    for (int pass = 0; pass < 2; pass++) {
        const ps_attrs *from = pass == 0 ? like : others;

        for (int i = 0; from && i < from->n; i++) {
            int at = psi_attrs_find_name(&side->out, from->items[i].name, conf);

            if (from->items[i].hidden || (pass == 1 && psi_attrs_find_name(like, from->items[i].name, conf) >= 0))
                continue;
            if (at < 0 && !allow_missing) {
                rc = ps_raise(err, PS_E_UNRESOLVED_COLUMN_AMONG_FIELD_NAMES, from->items[i].name);
                goto fail;
            }
            PS_TRY_OR(fail, at < 0 ? add_null(&list, &from->items[i], err) : add_named(&list, &side->out.items[at], err));
        }
    }
    return ps_project_node(side, &list, conf, out, err);
fail:
    ps_named_list_clear(&list);
    return rc;
}

PSI_OP_BIND(psi_union_by_name_bind)
{
    bool allow_missing = ps_args_int(args, "allow_missing", 0) != 0;
    ps_node *left = (*node)->inputs[0], *right = (*node)->inputs[1], *sides[2] = {NULL, NULL}, *made = NULL;
    ps_status rc;

    if (!allow_missing && n_visible(&left->out) != n_visible(&right->out))
        return ps_raise(err, PS_E_NUM_COLUMNS_MISMATCH, "UNION", n_visible(&left->out), 2, n_visible(&right->out));
    PS_TRY_OR(done, lay_out(left, &left->out, allow_missing ? &right->out : NULL, true, args->conf, &sides[0], err));
    PS_TRY_OR(done, lay_out(right, &left->out, allow_missing ? &right->out : NULL, allow_missing, args->conf, &sides[1], err));
    PS_TRY_OR(done, ps_node_make("union", sides, 2, args, &made, err));
    ps_node_unref(*node);
    *node = made;
done:
    ps_node_unref(sides[0]);
    ps_node_unref(sides[1]);
    return rc;
}

PSI_OP_NEEDS(psi_union_needs)
{
    const union_spec *spec = node->spec;

    for (int c = 0; c < spec->n; c++)
        if (ps_ids_has(wanted, node->out.items[c].id))
            PS_TRY(ps_ids_add(out, spec->ids[input * spec->n + c], err));
    return PS_OK;
}

PSI_OP_REMAKE(psi_union_remake)
{
    const union_spec *from = node->spec;
    union_spec *spec = NULL;
    ps_node *made = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_node_new(node->row, inputs, node->n_inputs, &made, err));
    PS_TRY_OR(fail, ps_alloc0(sizeof *spec, &spec, err));
    made->spec = spec;
    PS_TRY_OR(fail, psi_node_add_wanted(made, &node->out, wanted, err));
    spec->n = made->out.n;
    PS_TRY_OR(fail, ps_alloc((size_t)(spec->n * node->n_inputs) * sizeof *spec->ids, &spec->ids, err));
    for (int k = 0; k < node->n_inputs; k++)
        for (int c = 0, at = 0; c < from->n; c++)
            if (ps_ids_has(wanted, node->out.items[c].id))
                spec->ids[k * spec->n + at++] = from->ids[k * from->n + c];
    *out = made;
    return PS_OK;
fail:
    ps_node_unref(made);
    return rc;
}

PSI_OP_DESCRIBE(psi_union_describe)
{
    PS_UNUSED(node);
    return ps_bytes_text(out, "Union", err);
}

static ps_status union_push(ps_op *op, int port, ps_batch *batch, ps_error *err)
{
    const int *columns = ((union_op *)op)->columns + port * op->node->out.n;
    ps_batch *result = NULL;
    ps_status rc;

    PS_TRY(ps_batch_like(batch, op->node->out.n, &result, err));
    for (int c = 0; c < result->n_cols; c++)
        result->cols[c] = ps_vec_ref(batch->cols[columns[c]]);
    rc = ps_op_emit(op, result, err);
    ps_batch_unref(result);
    return rc;
}

static void union_close(ps_op *op)
{
    ps_free(((union_op *)op)->columns);
    ps_free(op);
}

PSI_OP_OPEN(psi_union_open)
{
    static const ps_op_vt vt = {.push = union_push, .close = union_close};
    const union_spec *spec = node->spec;
    union_op *self = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_op_new(sizeof *self, &vt, node, run, &self, err));
    rc = ps_alloc((size_t)(spec->n * node->n_inputs) * sizeof *self->columns, &self->columns, err);
    if (rc != PS_OK) {
        union_close(&self->op);
        return rc;
    }
    for (int k = 0; k < node->n_inputs; k++)
        for (int c = 0; c < spec->n; c++)
            self->columns[k * spec->n + c] = ps_attrs_find_id(&node->inputs[k]->out, spec->ids[k * spec->n + c]);
    *out = &self->op;
    return PS_OK;
}
