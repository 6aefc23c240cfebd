/*
 * op/leaves.c - bounded leaves: rows at hand (local), a range of numbers, a memory sink's table, and rows that
 * somebody else computes (deferred).
 */
#include "op/deferred.h"
#include "op/op_int.h"

/* Attributes of a leaf, one per field of its schema. */
static ps_status leaf_output(ps_node *node, const ps_type *schema, ps_error *err)
{
    for (int i = 0; i < schema->n_fields; i++) {
        ps_attr *attr;

        PS_TRY(ps_attrs_add(&node->out, schema->fields[i].name, schema->fields[i].type, schema->fields[i].nullable, &attr, err));
        if (schema->fields[i].metadata)
            PS_TRY(ps_strdup(schema->fields[i].metadata, &attr->metadata, err));
    }
    return PS_OK;
}

/* Which columns of the rows a pruned leaf still gives: `columns[i]` for output i. */
static ps_status pick_columns(const ps_node *node, const int *columns, const ps_ids *wanted, ps_node *made, int **out, ps_error *err)
{
    PS_TRY(ps_alloc((size_t)node->out.n * sizeof **out, out, err));
    for (int i = 0; i < node->out.n; i++)
        if (ps_ids_has(wanted, node->out.items[i].id)) {
            (*out)[made->out.n] = columns ? columns[i] : i;
            PS_TRY(ps_attrs_add_copy(&made->out, &node->out.items[i], err));
        }
    return PS_OK;
}

static ps_status emit_columns(ps_op *op, ps_batch *batch, const int *columns, ps_error *err)
{
    ps_batch *result = NULL;
    ps_status rc;

    PS_TRY(ps_run_check(op->run, err));
    if (!columns)
        return ps_op_emit(op, batch, err);
    PS_TRY(ps_batch_like(batch, op->node->out.n, &result, err));
    for (int i = 0; i < result->n_cols; i++)
        result->cols[i] = ps_vec_ref(batch->cols[columns[i]]);
    rc = ps_op_emit(op, result, err);
    ps_batch_unref(result);
    return rc;
}

/* Batches may have been kept in any size; operators get slices of ps_batch_rows. */
static ps_status emit_sliced(ps_op *op, ps_batch *batch, const int *columns, ps_error *err)
{
    if (batch->n_sel <= ps_batch_rows)
        return emit_columns(op, batch, columns, err);
    for (int64_t start = 0; start < batch->n_sel && !ps_op_is_done(op->next); start += ps_batch_rows) {
        int64_t n = batch->n_sel - start < ps_batch_rows ? batch->n_sel - start : ps_batch_rows;
        ps_batch *slice = NULL;
        ps_status rc;

        PS_TRY(ps_batch_slice(batch, start, n, &slice, err));
        rc = emit_columns(op, slice, columns, err);
        ps_batch_unref(slice);
        PS_TRY(rc);
    }
    return PS_OK;
}

static ps_status open_leaf(const ps_op_vt *vt, const ps_node *node, ps_run *run, ps_op **out, ps_error *err)
{
    *out = NULL;
    return psi_op_new(sizeof(ps_op), vt, node, run, out, err);
}

static void close_leaf(ps_op *op) { ps_free(op); }

/* --- local -------------------------------------------------------------------------------------------- */

typedef struct local_rows {
    ps_refs refs;
    ps_batches batches;
} local_rows;
typedef struct local_spec {
    local_rows *rows; /* shared with pruned copies of the node */
    int *columns;     /* NULL: all */
} local_spec;

static void local_rows_unref(local_rows *rows)
{
    if (rows && ps_refs_dec(&rows->refs)) {
        ps_batches_clear(&rows->batches);
        ps_free(rows);
    }
}

PSI_OP_FREE(psi_local_free)
{
    local_spec *local = spec;

    local_rows_unref(local->rows);
    ps_free(local->columns);
    ps_free(local);
}

PSI_OP_BIND(psi_local_bind)
{
    const ps_arg *type = ps_args_find(args, "type"), *batches = ps_args_find(args, "batches");
    local_spec *local = NULL;

    PS_TRY(ps_alloc0(sizeof *local, &local, err));
    (*node)->spec = local;
    PS_TRY(ps_alloc0(sizeof *local->rows, &local->rows, err));
    ps_refs_init(&local->rows->refs);
    for (int i = 0; batches && i < batches->batches->n; i++)
        PS_TRY(ps_batches_add(&local->rows->batches, batches->batches->items[i], err));
    return leaf_output(*node, type->type, err);
}

PSI_OP_REMAKE(psi_local_remake)
{
    const local_spec *from = node->spec;
    ps_node *made = NULL;
    local_spec *local = NULL;
    ps_status rc;

    PS_UNUSED(inputs);
    *out = NULL;
    PS_TRY(ps_node_new(node->row, NULL, 0, &made, err));
    PS_TRY_OR(fail, ps_alloc0(sizeof *local, &local, err));
    made->spec = local;
    local->rows = from->rows;
    ps_refs_inc(&local->rows->refs);
    PS_TRY_OR(fail, pick_columns(node, from->columns, wanted, made, &local->columns, err));
    *out = made;
    return PS_OK;
fail:
    ps_node_unref(made);
    return rc;
}

PSI_OP_DESCRIBE(psi_local_describe)
{
    PS_TRY(ps_bytes_text(out, "LocalRelation [", err));
    PS_TRY(psi_attrs_text(&node->out, out, err));
    return ps_bytes_char(out, ']', err);
}

static ps_status local_produce(ps_op *op, ps_error *err)
{
    const local_spec *local = op->node->spec;

    for (int i = 0; i < local->rows->batches.n && !ps_op_is_done(op->next); i++)
        PS_TRY(emit_sliced(op, local->rows->batches.items[i], local->columns, err));
    return PS_OK;
}

PSI_OP_OPEN(psi_local_open)
{
    static const ps_op_vt vt = {.produce = local_produce, .close = close_leaf};
    return open_leaf(&vt, node, run, out, err);
}

/* --- range --------------------------------------------------------------------------------------------- */

typedef struct range_spec { int64_t start, step, n; } range_spec;

PSI_OP_FREE(psi_range_free) { ps_free(spec); }

PSI_OP_BIND(psi_range_bind)
{
    __int128 start = ps_args_int(args, "start", 0), end = ps_args_int(args, "end", 0), step = ps_args_int(args, "step", 1), n;
    range_spec *range = NULL;
    ps_attr *attr;

    if (step == 0)
        return ps_raise(err, PS_E_RANGE_STEP_ZERO);
    n = step > 0 ? (end - start + step - 1) / step : (start - end - step - 1) / -step;
    n = n < 0 ? 0 : n;
    if (n > INT64_MAX)
        return ps_raise(err, PS_E_RANGE_TOO_LONG);
    PS_TRY(ps_alloc(sizeof *range, &range, err));
    *range = (range_spec){(int64_t)start, (int64_t)step, (int64_t)n};
    (*node)->spec = range;
    return ps_attrs_add(&(*node)->out, "id", ps_type_of(PS_INT64), false, &attr, err);
}

PSI_OP_DESCRIBE(psi_range_describe)
{
    const range_spec *range = node->spec;
    long long end = (long long)(range->start + (__int128)range->step * range->n);

    return ps_bytes_printf(out, err, "Range (%lld, %lld, step=%lld, splits=None)", (long long)range->start, end, (long long)range->step);
}

static ps_status range_produce(ps_op *op, ps_error *err)
{
    const range_spec *range = op->node->spec;

    for (int64_t at = 0; at < range->n && !ps_op_is_done(op->next); at += ps_batch_rows) {
        int64_t n = range->n - at < ps_batch_rows ? range->n - at : ps_batch_rows;
        ps_batch *batch = NULL;
        ps_vec *vec = NULL;
        int64_t *data;
        ps_status rc;

        PS_TRY(ps_vec_new(ps_type_of(PS_INT64), n, false, &vec, err));
        data = vec->data;
        for (int64_t i = 0; i < n; i++)
            data[i] = (int64_t)((uint64_t)range->start + (uint64_t)(at + i) * (uint64_t)range->step);
        if ((rc = ps_batch_new(1, n, &batch, err)) != PS_OK) {
            ps_vec_unref(vec);
            return rc;
        }
        batch->cols[0] = vec;
        rc = emit_columns(op, batch, NULL, err);
        ps_batch_unref(batch);
        PS_TRY(rc);
    }
    return PS_OK;
}

PSI_OP_OPEN(psi_range_open)
{
    static const ps_op_vt vt = {.produce = range_produce, .close = close_leaf};
    return open_leaf(&vt, node, run, out, err);
}

/* --- the table of a memory sink -------------------------------------------------------------------------- */

typedef struct table_spec { ps_memory_table *table; int *columns; } table_spec;

PSI_OP_FREE(psi_table_free)
{
    table_spec *table = spec;

    ps_memory_table_unref(table->table);
    ps_free(table->columns);
    ps_free(table);
}

PSI_OP_BIND(psi_table_bind)
{
    const ps_arg *arg = ps_args_find(args, "table");
    table_spec *table = NULL;

    PS_TRY(ps_alloc0(sizeof *table, &table, err));
    (*node)->spec = table;
    table->table = ps_memory_table_ref(arg->table);
    return leaf_output(*node, ps_memory_table_schema(arg->table), err);
}

PSI_OP_REMAKE(psi_table_remake)
{
    const table_spec *from = node->spec;
    ps_node *made = NULL;
    table_spec *table = NULL;
    ps_status rc;

    PS_UNUSED(inputs);
    *out = NULL;
    PS_TRY(ps_node_new(node->row, NULL, 0, &made, err));
    PS_TRY_OR(fail, ps_alloc0(sizeof *table, &table, err));
    made->spec = table;
    table->table = ps_memory_table_ref(from->table);
    PS_TRY_OR(fail, pick_columns(node, from->columns, wanted, made, &table->columns, err));
    *out = made;
    return PS_OK;
fail:
    ps_node_unref(made);
    return rc;
}

PSI_OP_DESCRIBE(psi_table_describe)
{
    PS_TRY(ps_bytes_text(out, "MemoryPlan [", err));
    PS_TRY(psi_attrs_text(&node->out, out, err));
    return ps_bytes_char(out, ']', err);
}

static ps_status table_produce(ps_op *op, ps_error *err)
{
    const table_spec *table = op->node->spec;
    ps_batches rows = {0};
    ps_status rc;

    rc = ps_memory_table_snapshot(table->table, &rows, err);
    for (int i = 0; rc == PS_OK && i < rows.n && !ps_op_is_done(op->next); i++)
        rc = emit_sliced(op, rows.items[i], table->columns, err);
    ps_batches_clear(&rows);
    return rc;
}

PSI_OP_OPEN(psi_table_open)
{
    static const ps_op_vt vt = {.produce = table_produce, .close = close_leaf};
    return open_leaf(&vt, node, run, out, err);
}

/* --- deferred ----------------------------------------------------------------------------------------------- */

typedef struct deferred_spec { ps_rows_fn rows; void (*release)(void *); void *self; } deferred_spec;

PSI_OP_FREE(psi_deferred_free)
{
    deferred_spec *deferred = spec;

    deferred->release(deferred->self);
    ps_free(deferred);
}

ps_status ps_node_deferred(const ps_type *schema, ps_rows_fn rows, void (*release)(void *), void *self, ps_node **out, ps_error *err)
{
    deferred_spec *deferred = NULL;
    ps_node *node = NULL;
    ps_status rc;

    *out = NULL;
    if ((rc = ps_alloc(sizeof *deferred, &deferred, err)) != PS_OK) {
        release(self);
        return rc;
    }
    *deferred = (deferred_spec){rows, release, self};
    if ((rc = ps_node_new(ps_op_find("deferred"), NULL, 0, &node, err)) != PS_OK) {
        psi_deferred_free(deferred);
        return rc;
    }
    node->spec = deferred;
    if ((rc = leaf_output(node, schema, err)) != PS_OK) {
        ps_node_unref(node);
        return rc;
    }
    *out = node;
    return PS_OK;
}

PSI_OP_DESCRIBE(psi_deferred_describe)
{
    PS_TRY(ps_bytes_text(out, "MicroBatch [", err));
    PS_TRY(psi_attrs_text(&node->out, out, err));
    return ps_bytes_char(out, ']', err);
}

static ps_status deferred_emit(void *self, ps_batch *batch, ps_error *err) { return emit_sliced(self, batch, NULL, err); }

static ps_status deferred_produce(ps_op *op, ps_error *err)
{
    const deferred_spec *deferred = op->node->spec;
    return deferred->rows(deferred->self, deferred_emit, op, err);
}

PSI_OP_OPEN(psi_deferred_open)
{
    static const ps_op_vt vt = {.produce = deferred_produce, .close = close_leaf};
    return open_leaf(&vt, node, run, out, err);
}
