/*
 * op/project.c - columns computed from columns.
 *
 * The list of a projection holds the visible columns first; what follows them is hidden: attributes that
 * something above reaches for by name though a select left them out (psi_node_expose).
 */
#include "op/project.h"
#include "op/op_int.h"

typedef struct project_spec {
    ps_named_list list;
    int n_visible;
    char *qualifier; /* of a subquery alias, or NULL: plain columns keep theirs */
} project_spec;

typedef struct project_op {
    ps_op op;
    ps_program *program;
    ps_vec **outs; /* room for one batch's results */
} project_op;

PSI_OP_FREE(psi_project_free)
{
    project_spec *project = spec;

    ps_named_list_clear(&project->list);
    ps_free(project->qualifier);
    ps_free(project);
}

const ps_named_list *ps_project_list(const ps_node *node)
{
    return strcmp(node->row->kind, "project") == 0 ? &((project_spec *)node->spec)->list : NULL;
}

ps_status ps_named_pass(const ps_attr *attr, ps_named *out, ps_error *err)
{
    memset(out, 0, sizeof *out);
    PS_TRY(ps_bound_column(attr, &out->bound, err));
    PS_TRY(ps_strdup(attr->name, &out->name, err));
    if (attr->metadata)
        PS_TRY(ps_strdup(attr->metadata, &out->metadata, err));
    out->attr_id = attr->id;
    out->watermark_ms = attr->watermark_ms;
    return PS_OK;
}

static ps_status set_qualifier(ps_attr *attr, const char *qualifier, ps_error *err)
{
    for (int i = 0; i < attr->n_qualifier; i++)
        ps_free(attr->qualifier[i]);
    attr->n_qualifier = 0;
    ps_free(attr->qualifier);
    attr->qualifier = NULL;
    PS_TRY(ps_alloc0(sizeof *attr->qualifier, &attr->qualifier, err));
    PS_TRY(ps_strdup(qualifier, &attr->qualifier[0], err));
    attr->n_qualifier = 1;
    return PS_OK;
}

/* The attribute that an entry of the list gives. */
static ps_status add_output(ps_node *node, const ps_named *named, bool visible, const char *qualifier, ps_error *err)
{
    const ps_attrs *from = &node->inputs[0]->out;
    const ps_bound *bound = named->bound;
    int at = bound->kind == PS_B_COLUMN && bound->attr_id == named->attr_id ? ps_attrs_find_id(from, bound->attr_id) : -1;
    ps_attr *attr;

    if (at >= 0) {
        PS_TRY(ps_attrs_add_copy(&node->out, &from->items[at], err));
        attr = &node->out.items[node->out.n - 1];
        ps_free(attr->name);
        attr->name = NULL;
        PS_TRY(ps_strdup(named->name, &attr->name, err));
    } else {
        PS_TRY(ps_attrs_add(&node->out, named->name, bound->type, bound->nullable, &attr, err));
        attr->id = named->attr_id;
    }
    ps_free(attr->metadata);
    attr->metadata = NULL;
    if (named->metadata)
        PS_TRY(ps_strdup(named->metadata, &attr->metadata, err));
    attr->watermark_ms = named->watermark_ms;
    attr->hidden = !visible;
    return qualifier ? set_qualifier(attr, qualifier, err) : PS_OK;
}

/* A projection as it is: takes the list, also when it fails. */
static ps_status plain_project(ps_node *input, ps_named_list *list, int n_visible, const char *qualifier, ps_node **out, ps_error *err)
{
    project_spec *spec = NULL;
    ps_node *node = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY_OR(fail, ps_node_new(ps_op_find("project"), &input, 1, &node, err));
    PS_TRY_OR(fail, ps_alloc0(sizeof *spec, &spec, err));
    node->spec = spec;
    spec->list = *list;
    *list = (ps_named_list){0};
    spec->n_visible = n_visible;
    if (qualifier)
        PS_TRY_OR(fail, ps_strdup(qualifier, &spec->qualifier, err));
    for (int i = 0; i < spec->list.n; i++)
        PS_TRY_OR(fail, add_output(node, &spec->list.items[i], i < n_visible, qualifier, err));
    *out = node;
    return PS_OK;
fail:
    ps_named_list_clear(list);
    ps_node_unref(node);
    return rc;
}

static ps_status named_copy(const ps_named *from, ps_named *to, ps_error *err)
{
    memset(to, 0, sizeof *to);
    to->bound = ps_bound_ref(from->bound);
    to->attr_id = from->attr_id;
    to->watermark_ms = from->watermark_ms;
    PS_TRY(ps_strdup(from->name, &to->name, err));
    return from->metadata ? ps_strdup(from->metadata, &to->metadata, err) : PS_OK;
}

/* The list's last entry, for the fields of it that are asked for. */
static ps_status narrow_last(ps_named_list *list, uint64_t fields, ps_error *err)
{
    ps_named *named = &list->items[list->n - 1];
    ps_bound *bound = NULL;

    if (fields == PS_ALL_FIELDS)
        return PS_OK;
    PS_TRY(ps_bound_narrow(named->bound, fields, &bound, err));
    ps_bound_unref(named->bound);
    named->bound = bound;
    return PS_OK;
}

static ps_status list_add_copy(ps_named_list *list, const ps_named *named, ps_error *err)
{
    ps_named copy = {0};
    ps_status rc = PS_PUSH(list, copy, err);

    return rc != PS_OK ? rc : named_copy(named, &list->items[list->n - 1], err);
}

static ps_status list_add_pass(ps_named_list *list, const ps_attr *attr, ps_error *err)
{
    ps_named none = {0};
    ps_status rc = PS_PUSH(list, none, err);

    return rc != PS_OK ? rc : ps_named_pass(attr, &list->items[list->n - 1], err);
}

ps_status ps_project_node(ps_node *input, ps_named_list *list, const ps_conf *conf, ps_node **out, ps_error *err)
{
    ps_node *below = ps_node_ref(input);
    ps_status rc;

    *out = NULL;
    PS_TRY_OR(fail, psi_extract_windows(&below, list, conf, err));
    PS_TRY_OR(fail, psi_extract_generator(&below, list, conf, err));
    rc = plain_project(below, list, list->n, NULL, out, err);
    ps_node_unref(below);
    return rc;
fail:
    ps_named_list_clear(list);
    ps_node_unref(below);
    return rc;
}

ps_status psi_project_alias(ps_node *input, const char *qualifier, ps_node **out, ps_error *err)
{
    ps_named_list list = {0};
    int n_visible = 0;

    *out = NULL;
    for (int hidden = 0; hidden < 2; hidden++) {
        for (int i = 0; i < input->out.n; i++) {
            ps_status rc = PS_OK;

            if (input->out.items[i].hidden == (hidden == 1))
                rc = list_add_pass(&list, &input->out.items[i], err);
            if (rc != PS_OK) {
                ps_named_list_clear(&list);
                return rc;
            }
        }
        if (!hidden)
            n_visible = list.n;
    }
    return plain_project(input, &list, n_visible, qualifier, out, err);
}

/* The projection `node` over another input, its entries filtered by `wanted` (NULL: all), and `extra` attributes of the
 * input handed on as hidden ones. */
static ps_status rebuild(const ps_node *node, ps_node *input, const ps_ids *wanted, const ps_ids *extra, ps_node **out, ps_error *err)
{
    const project_spec *spec = node->spec;
    ps_named_list list = {0};
    int n_visible = 0;
    ps_status rc;

    *out = NULL;
    for (int i = 0; i < spec->list.n; i++) {
        if (wanted && !ps_ids_has(wanted, spec->list.items[i].attr_id))
            continue;
        PS_TRY_OR(fail, list_add_copy(&list, &spec->list.items[i], err));
        if (wanted)
            PS_TRY_OR(fail, narrow_last(&list, ps_ids_fields(wanted, spec->list.items[i].attr_id), err));
        n_visible += i < spec->n_visible;
    }
    for (int i = 0; extra && i < extra->n; i++) {
        int at = ps_attrs_find_id(&input->out, extra->items[i]);

        if (at >= 0 && ps_attrs_find_id(&node->out, extra->items[i]) < 0)
            PS_TRY_OR(fail, list_add_pass(&list, &input->out.items[at], err));
    }
    return plain_project(input, &list, n_visible, spec->qualifier, out, err);
fail:
    ps_named_list_clear(&list);
    return rc;
}

PSI_OP_NEEDS(psi_project_needs)
{
    const project_spec *spec = node->spec;

    PS_UNUSED(input);
    for (int i = 0; i < spec->list.n; i++) {
        const ps_named *named = &spec->list.items[i];
        uint64_t fields = ps_ids_fields(wanted, named->attr_id);

        if (fields && named->bound->kind == PS_B_COLUMN)
            PS_TRY(ps_ids_add_fields(out, named->bound->attr_id, fields, err));
        else if (fields)
            PS_TRY(ps_ids_add_bound(out, named->bound, err));
    }
    return PS_OK;
}

PSI_OP_REMAKE(psi_project_remake) { return rebuild(node, inputs[0], wanted, NULL, out, err); }

PSI_OP_DESCRIBE(psi_project_describe)
{
    const project_spec *spec = node->spec;

    PS_TRY(ps_bytes_text(out, "Project [", err));
    for (int i = 0; i < spec->list.n; i++) {
        const ps_named *named = &spec->list.items[i];

        PS_TRY(i ? ps_bytes_text(out, ", ", err) : PS_OK);
        PS_TRY(ps_bound_text(named->bound, out, err));
        if (named->bound->kind != PS_B_COLUMN || named->bound->attr_id != named->attr_id)
            PS_TRY(ps_bytes_printf(out, err, " AS %s#%lld", named->name, (long long)named->attr_id));
    }
    return ps_bytes_char(out, ']', err);
}

/* --- reaching what a projection left out -------------------------------------------------------------- */

static bool passes_through(const ps_node *node)
{
    static const char *const kinds[] = {"filter", "watermark", "sort", "limit"};

    for (size_t i = 0; i < PS_COUNT_OF(kinds); i++)
        if (strcmp(node->row->kind, kinds[i]) == 0)
            return true;
    return false;
}

ps_status psi_node_missing(const ps_node *input, bool deep, ps_attrs *out, ps_error *err)
{
    const ps_node *node = input;

    while (passes_through(node) || ps_project_list(node)) {
        const ps_attrs *below = &node->inputs[0]->out;

        for (int i = 0; i < below->n; i++) {
            const ps_attr *attr = &below->items[i];

            if ((deep || attr->hidden) && ps_attrs_find_id(&input->out, attr->id) < 0 && ps_attrs_find_id(out, attr->id) < 0)
                PS_TRY(ps_attrs_add_copy(out, attr, err));
        }
        node = node->inputs[0];
    }
    for (int i = 0; i < out->n; i++)
        out->items[i].hidden = true;
    return PS_OK;
}

ps_status psi_node_expose(ps_node *input, const ps_ids *ids, ps_node **out, ps_error *err)
{
    bool there = true;
    ps_node *below = NULL;
    ps_ids all = {0};
    ps_status rc;

    *out = NULL;
    for (int i = 0; i < ids->n; i++)
        there = there && ps_attrs_find_id(&input->out, ids->items[i]) >= 0;
    if (there || (!passes_through(input) && !ps_project_list(input))) {
        *out = ps_node_ref(input);
        return PS_OK;
    }
    PS_TRY(psi_node_expose(input->inputs[0], ids, &below, err));
    if (ps_project_list(input)) {
        rc = rebuild(input, below, NULL, ids, out, err);
    } else {
        rc = PS_OK;
        for (int i = 0; rc == PS_OK && i < below->out.n; i++)
            rc = ps_ids_add(&all, below->out.items[i].id, err);
        if (rc == PS_OK)
            rc = input->row->remake(input, &below, &all, out, err);
    }
    ps_ids_clear(&all);
    ps_node_unref(below);
    return rc;
}

/* --- running ------------------------------------------------------------------------------------------- */

static ps_status project_push(ps_op *op, int port, ps_batch *batch, ps_error *err)
{
    project_op *project = (project_op *)op;
    const project_spec *spec = op->node->spec;
    int n = spec->list.n;
    ps_batch *result = NULL;
    ps_status rc;

    PS_UNUSED(port);
    PS_TRY(ps_program_run(project->program, batch, project->outs, err));
    rc = ps_batch_like(batch, n, &result, err);
    if (rc != PS_OK) {
        for (int i = 0; i < n; i++)
            ps_vec_unref(project->outs[i]);
        return rc;
    }
    for (int i = 0; i < n; i++)
        result->cols[i] = project->outs[i];
    rc = ps_op_emit(op, result, err);
    ps_batch_unref(result);
    return rc;
}

static void project_close(ps_op *op)
{
    project_op *project = (project_op *)op;

    ps_program_free(project->program);
    ps_free(project->outs);
    ps_free(project);
}

PSI_OP_OPEN(psi_project_open)
{
    static const ps_op_vt vt = {.push = project_push, .close = project_close};
    const project_spec *spec = node->spec;
    project_op *project = NULL;
    ps_bound **bounds = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_op_new(sizeof *project, &vt, node, run, &project, err));
    PS_TRY_OR(fail, ps_alloc0((size_t)spec->list.n * sizeof *project->outs, &project->outs, err));
    PS_TRY_OR(fail, ps_alloc0((size_t)spec->list.n * sizeof *bounds, &bounds, err));
    for (int i = 0; i < spec->list.n; i++)
        bounds[i] = spec->list.items[i].bound;
    PS_TRY_OR(fail, ps_program_new(bounds, spec->list.n, &node->inputs[0]->out, &run->env, &project->program, err));
    ps_free(bounds);
    *out = &project->op;
    return PS_OK;
fail:
    ps_free(bounds);
    project_close(&project->op);
    return rc;
}
