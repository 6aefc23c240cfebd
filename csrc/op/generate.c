/*
 * op/generate.c - explode and its family: a row for each element of an array or map.
 *
 * Columns of the input are repeated by index, elements are taken from the child vector by index: nothing is copied.
 */
#include "expr/function.h"
#include "op/op_int.h"
#include "op/project.h"

typedef struct generate_spec {
    ps_bound *arg;     /* the array or map */
    bool outer;        /* an empty or NULL value gives a row of NULLs */
    bool position;     /* a first column with the position */
    bool fields;       /* inline: a column per field of the element */
    int n_generated;   /* the last attributes of node->out */
} generate_spec;

typedef struct generate_op {
    ps_op op;
    ps_program *program;
    int *pass;         /* column of the input per passed attribute */
    int n_pass;
    int64_t n_part;    /* rows of the input that are taken at once */
} generate_op;

PSI_OP_FREE(psi_generate_free)
{
    ps_bound_unref(((generate_spec *)spec)->arg);
    ps_free(spec);
}

/* --- making the node ------------------------------------------------------------------------------------- */

static bool starts_with(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

/* One generated column under the user's name for it, else the default one. */
static ps_status add_generated(ps_node *node, generate_spec *spec, const ps_named *named, const char *name, const ps_type *type, bool nullable, ps_error *err)
{
    ps_attr *attr;

    if (named->n_names > spec->n_generated)
        name = named->names[spec->n_generated];
    PS_TRY(ps_attrs_add(&node->out, name, type, nullable, &attr, err));
    spec->n_generated++;
    return PS_OK;
}

static ps_status add_outputs(ps_node *node, generate_spec *spec, const ps_named *named, ps_error *err)
{
    const ps_type *type = spec->arg->type;
    const ps_field *element = &type->fields[0];
    bool single = !spec->position && !spec->fields && type->kind == PS_ARRAY;

    if (spec->position)
        PS_TRY(add_generated(node, spec, named, "pos", ps_type_of(PS_INT32), spec->outer, err));
    if (spec->fields) {
        for (int i = 0; i < element->type->n_fields; i++) {
            const ps_field *field = &element->type->fields[i];
            PS_TRY(add_generated(node, spec, named, field->name, field->type, field->nullable || element->nullable || spec->outer, err));
        }
        return PS_OK;
    }
    if (type->kind == PS_MAP) {
        PS_TRY(add_generated(node, spec, named, "key", type->fields[0].type, spec->outer, err));
        return add_generated(node, spec, named, "value", type->fields[1].type, type->fields[1].nullable || spec->outer, err);
    }
    return add_generated(node, spec, named, single && named->name ? named->name : "col", element->type, element->nullable || spec->outer, err);
}

static ps_status generate_node(ps_node *input, const ps_named *named, ps_node **out, ps_error *err)
{
    const ps_bound *call = named->bound;
    generate_spec *spec = NULL;
    ps_node *node = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_node_new(ps_op_find("generate"), &input, 1, &node, err));
    PS_TRY_OR(fail, ps_alloc0(sizeof *spec, &spec, err));
    node->spec = spec;
    spec->arg = ps_bound_ref(call->args[0]);
    spec->outer = strstr(call->fn->name, "_outer") != NULL;
    spec->position = starts_with(call->fn->name, "posexplode");
    spec->fields = starts_with(call->fn->name, "inline");
    PS_TRY_OR(fail, psi_node_pass_through(node, err));
    PS_TRY_OR(fail, add_outputs(node, spec, named, err));
    ps_assert(named->n_names == 0 || named->n_names == spec->n_generated); /* the binder counts them */
    *out = node;
    return PS_OK;
fail:
    ps_node_unref(node);
    return rc;
}

/* The generator's place in a select list becomes its generated columns. */
static ps_status splice(ps_named_list *list, int at, const ps_node *node, ps_error *err)
{
    int n = ((generate_spec *)node->spec)->n_generated, first = node->out.n - n;
    ps_named_list made = {0};
    ps_status rc = PS_OK;

    for (int i = 0; i < list->n; i++) {
        ps_named none = {0};

        for (int k = 0; k < (i == at ? n : 1); k++) {
            PS_TRY_OR(done, PS_PUSH(&made, none, err));
            if (i == at) {
                PS_TRY_OR(done, ps_named_pass(&node->out.items[first + k], &made.items[made.n - 1], err));
            } else {
                made.items[made.n - 1] = list->items[i];
                memset(&list->items[i], 0, sizeof list->items[i]);
            }
        }
    }
done:
    ps_named_list_clear(list);
    *list = made;
    return rc;
}

ps_status psi_extract_generator(ps_node **input, ps_named_list *list, const ps_conf *conf, ps_error *err)
{
    int at = -1;
    ps_node *node = NULL;
    ps_status rc;

    PS_UNUSED(conf);
    for (int i = 0; i < list->n; i++) {
        const ps_bound *bound = list->items[i].bound;

        if (!ps_bound_has_generator(bound))
            continue;
        if (bound->kind != PS_B_CALL || !(bound->fn->flags & PS_FN_GENERATOR))
            return ps_raise(err, PS_E_GENERATOR_NESTED, list->items[i].name);
        if (at >= 0)
            return ps_raise(err, PS_E_GENERATOR_MULTI);
        at = i;
    }
    if (at < 0)
        return PS_OK;
    PS_TRY(generate_node(*input, &list->items[at], &node, err));
    if ((rc = splice(list, at, node, err)) != PS_OK) {
        ps_node_unref(node);
        return rc;
    }
    ps_node_unref(*input);
    *input = node;
    return PS_OK;
}

static const ps_attr *generated(const ps_node *node, int i)
{
    const generate_spec *spec = node->spec;
    return &node->out.items[node->out.n - spec->n_generated + i];
}

PSI_OP_NEEDS(psi_generate_needs)
{
    const generate_spec *spec = node->spec;

    PS_UNUSED(input);
    for (int i = 0; i < node->out.n - spec->n_generated; i++)
        if (ps_ids_has(wanted, node->out.items[i].id))
            PS_TRY(ps_ids_add(out, node->out.items[i].id, err));
    return ps_ids_add_bound(out, spec->arg, err);
}

PSI_OP_REMAKE(psi_generate_remake)
{
    const generate_spec *from = node->spec;
    generate_spec *spec = NULL;
    ps_node *made = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_node_new(node->row, inputs, 1, &made, err));
    PS_TRY_OR(fail, ps_alloc(sizeof *spec, &spec, err));
    *spec = *from;
    spec->arg = ps_bound_ref(from->arg);
    made->spec = spec;
    PS_TRY_OR(fail, psi_node_add_wanted(made, &inputs[0]->out, wanted, err));
    for (int i = 0; i < from->n_generated; i++)
        PS_TRY_OR(fail, ps_attrs_add_copy(&made->out, generated(node, i), err));
    *out = made;
    return PS_OK;
fail:
    ps_node_unref(made);
    return rc;
}

PSI_OP_DESCRIBE(psi_generate_describe)
{
    const generate_spec *spec = node->spec;

    PS_TRY(ps_bytes_printf(out, err, "Generate %s%s(", spec->fields ? "inline" : spec->position ? "posexplode" : "explode", spec->outer ? "_outer" : ""));
    PS_TRY(ps_bound_text(spec->arg, out, err));
    return ps_bytes_char(out, ')', err);
}

/* --- running ------------------------------------------------------------------------------------------------ */

/* Rows to emit: which input row, which element (-1: the row of NULLs of an outer generator), which position. */
typedef struct element_rows {
    ps_buf *parent, *element;
    int64_t n, capacity;
    bool any_null;
} element_rows;

static ps_status add_row(element_rows *rows, int32_t parent, int32_t element, ps_error *err)
{
    if (rows->n == rows->capacity) {
        rows->capacity = rows->capacity ? rows->capacity * 2 : 2 * ps_batch_rows;
        if (!rows->parent) {
            PS_TRY(ps_buf_new((size_t)rows->capacity * 4, &rows->parent, err));
            PS_TRY(ps_buf_new((size_t)rows->capacity * 4, &rows->element, err));
        } else {
            PS_TRY(ps_buf_resize(&rows->parent, (size_t)rows->capacity * 4, err));
            PS_TRY(ps_buf_resize(&rows->element, (size_t)rows->capacity * 4, err));
        }
    }
    ((int32_t *)rows->parent->data)[rows->n] = parent;
    ((int32_t *)rows->element->data)[rows->n] = element;
    rows->n++;
    rows->any_null = rows->any_null || element < 0;
    return PS_OK;
}

/* Elements by index; an index of -1 is NULL. */
static ps_status take_elements(ps_vec *child, const element_rows *rows, ps_vec **out, ps_error *err)
{
    const int32_t *element = (const int32_t *)rows->element->data;
    ps_builder *b = NULL;
    ps_status rc = PS_OK;

    *out = NULL;
    if (!rows->any_null && rows->n > 0 && element[rows->n - 1] - element[0] == rows->n - 1)
        return ps_vec_slice(child, element[0], rows->n, out, err); /* indexes rise, so these are consecutive */
    if (!rows->any_null)
        return ps_vec_take(child, element, rows->n, rows->element, out, err);
    PS_TRY(ps_build_new(child->type, rows->n, &b, err));
    for (int64_t i = 0; rc == PS_OK && i < rows->n; i++)
        rc = element[i] < 0 ? ps_build_null(b, err) : ps_build_from(b, child, element[i], err);
    return ps_build_end(b, rc, out, err);
}

static ps_status positions(const element_rows *rows, ps_vec **out, ps_error *err)
{
    const int32_t *parent = (const int32_t *)rows->parent->data, *element = (const int32_t *)rows->element->data;
    ps_vec *vec = NULL;
    int32_t *data, at = 0;

    PS_TRY(ps_vec_new(ps_type_of(PS_INT32), rows->n, rows->any_null, &vec, err));
    data = vec->data;
    for (int64_t i = 0; i < rows->n; i++) {
        at = i > 0 && parent[i] == parent[i - 1] ? at + 1 : 0;
        data[i] = at;
        if (element[i] < 0)
            ps_bit_clear(vec->valid, i);
    }
    *out = vec;
    return PS_OK;
}

/* A field of the elements of inline(): NULL where the struct itself is. */
static ps_status take_field(ps_vec *structs, int field, const element_rows *rows, ps_vec **out, ps_error *err)
{
    const int32_t *element = (const int32_t *)rows->element->data;
    ps_builder *b = NULL;
    ps_status rc = PS_OK;

    *out = NULL;
    PS_TRY(ps_build_new(structs->type->fields[field].type, rows->n, &b, err));
    for (int64_t i = 0; rc == PS_OK && i < rows->n; i++) {
        ps_view view;

        ps_view_init(&view, structs);
        if (element[i] < 0 || ps_view_is_null(&view, element[i]))
            rc = ps_build_null(b, err);
        else
            rc = ps_build_from(b, view.base->children[field], ps_at(&view, element[i]), err);
    }
    return ps_build_end(b, rc, out, err);
}

static ps_status emit_rows(generate_op *self, ps_batch *batch, const ps_vec *lists, const element_rows *rows, ps_error *err)
{
    const generate_spec *spec = self->op.node->spec;
    const int32_t *parent = (const int32_t *)rows->parent->data;
    ps_batch *result = NULL;
    int n = 0;
    ps_status rc;

    PS_TRY(ps_batch_new(self->op.node->out.n, rows->n, &result, err));
    for (int i = 0; i < self->n_pass; i++)
        PS_TRY_OR(done, ps_vec_take(batch->cols[self->pass[i]], parent, rows->n, rows->parent, &result->cols[n++], err));
    if (spec->position)
        PS_TRY_OR(done, positions(rows, &result->cols[n++], err));
    if (spec->fields) {
        for (int k = 0; n < result->n_cols; k++)
            PS_TRY_OR(done, take_field(lists->children[0], k, rows, &result->cols[n++], err));
    } else {
        for (int k = 0; n < result->n_cols; k++)
            PS_TRY_OR(done, take_elements(lists->children[k], rows, &result->cols[n++], err));
    }
    rc = ps_op_emit(&self->op, result, err);
done:
    ps_batch_unref(result);
    return rc;
}

static void element_rows_clear(element_rows *rows)
{
    ps_buf_unref(rows->parent);
    ps_buf_unref(rows->element);
    *rows = (element_rows){0};
}

/* Nothing but elements of arrays or maps: parts of their vectors, as they are. */
static ps_status emit_elements(generate_op *self, const ps_vec *lists, int64_t start, int64_t n, ps_error *err)
{
    for (int64_t end = start + n; start < end; start += ps_batch_rows) {
        ps_batch *result = NULL;
        ps_status rc;

        n = end - start < ps_batch_rows ? end - start : ps_batch_rows;
        PS_TRY(ps_batch_new(self->op.node->out.n, n, &result, err));
        for (int k = 0; k < result->n_cols; k++)
            PS_TRY_OR(done, ps_vec_slice(lists->children[k], start, n, &result->cols[k], err));
        rc = ps_op_emit(&self->op, result, err);
    done:
        ps_batch_unref(result);
        PS_TRY(rc);
    }
    return PS_OK;
}

static inline ps_span span_of(const ps_view *view, int64_t row)
{
    return ps_view_is_null(view, row) ? (ps_span){0, 0} : ((const ps_span *)view->data)[ps_at(view, row)];
}

/* Runs of elements that lie one behind the other, as split() and the readers make them. */
static ps_status generate_elements(generate_op *self, const ps_view *view, const ps_rows *live, int64_t *n_made, ps_error *err)
{
    int64_t start = 0, n = 0;

    for (int64_t j = 0; j < live->n; j++) {
        ps_span span = span_of(view, ps_row(live, j));

        if (span.n > 0 && span.start != start + n) {
            PS_TRY(emit_elements(self, view->base, start, n, err));
            start = span.start;
            n = 0;
        }
        n += span.n;
        *n_made += span.n;
    }
    return emit_elements(self, view->base, start, n, err);
}

static ps_status generate_rows(generate_op *self, ps_batch *batch, const ps_view *view, const ps_rows *live, int64_t *n_made, ps_error *err)
{
    const generate_spec *spec = self->op.node->spec;
    element_rows rows = {0};
    ps_status rc;

    for (int64_t j = 0; j < live->n; j++) {
        int64_t row = ps_row(live, j);
        ps_span span = span_of(view, row);

        if (span.n == 0 && spec->outer)
            PS_TRY_OR(done, add_row(&rows, (int32_t)row, -1, err));
        for (uint32_t k = 0; k < span.n; k++)
            PS_TRY_OR(done, add_row(&rows, (int32_t)row, (int32_t)(span.start + k), err));
        if (rows.n >= ps_batch_rows) {
            *n_made += rows.n;
            PS_TRY_OR(done, emit_rows(self, batch, view->base, &rows, err));
            element_rows_clear(&rows); /* the batch just emitted may be kept: its indexes stay as they are */
        }
    }
    *n_made += rows.n;
    rc = rows.n > 0 ? emit_rows(self, batch, view->base, &rows, err) : PS_OK;
done:
    element_rows_clear(&rows);
    return rc;
}

static ps_status generate_part(generate_op *self, ps_batch *batch, int64_t *n_made, ps_error *err)
{
    const generate_spec *spec = self->op.node->spec;
    bool bare = self->n_pass == 0 && !spec->position && !spec->outer && !spec->fields;
    ps_rows live = ps_batch_live(batch);
    ps_vec *lists = NULL;
    ps_view view;
    ps_status rc;

    PS_TRY(ps_program_run(self->program, batch, &lists, err));
    ps_view_init(&view, lists);
    rc = bare ? generate_elements(self, &view, &live, n_made, err) : generate_rows(self, batch, &view, &live, n_made, err);
    ps_vec_unref(lists);
    return rc;
}

/* The batch is taken in parts that give about one batch of elements each, so that elements are still in the cache when
 * the next operator looks at them. */
static ps_status generate_push(ps_op *op, int port, ps_batch *batch, ps_error *err)
{
    generate_op *self = (generate_op *)op;
    const int64_t least = ps_batch_rows < 256 ? ps_batch_rows : 256;

    PS_UNUSED(port);
    for (int64_t start = 0, n; start < batch->n_sel; start += n) {
        ps_batch *part = NULL;
        int64_t n_made = 0;
        ps_status rc;

        n = batch->n_sel - start < self->n_part ? batch->n_sel - start : self->n_part;
        PS_TRY(ps_batch_slice(batch, start, n, &part, err));
        rc = generate_part(self, part, &n_made, err);
        ps_batch_unref(part);
        PS_TRY(rc);
        self->n_part = n_made <= n ? ps_batch_rows : n * ps_batch_rows / n_made;
        self->n_part = self->n_part < least ? least : self->n_part;
    }
    return PS_OK;
}

static void generate_close(ps_op *op)
{
    ps_program_free(((generate_op *)op)->program);
    ps_free(((generate_op *)op)->pass);
    ps_free(op);
}

PSI_OP_OPEN(psi_generate_open)
{
    static const ps_op_vt vt = {.push = generate_push, .close = generate_close};
    const generate_spec *spec = node->spec;
    ps_bound *arg = spec->arg;
    generate_op *self = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(psi_op_new(sizeof *self, &vt, node, run, &self, err));
    self->n_pass = node->out.n - spec->n_generated;
    self->n_part = ps_batch_rows;
    PS_TRY_OR(fail, ps_alloc((size_t)self->n_pass * sizeof *self->pass, &self->pass, err));
    for (int i = 0; i < self->n_pass; i++)
        self->pass[i] = ps_attrs_find_id(&node->inputs[0]->out, node->out.items[i].id);
    PS_TRY_OR(fail, ps_program_new(&arg, 1, &node->inputs[0]->out, &run->env, &self->program, err));
    *out = &self->op;
    return PS_OK;
fail:
    generate_close(&self->op);
    return rc;
}
