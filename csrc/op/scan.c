/*
 * op/scan.c - the leaf that reads a source: everything there is (a batch read), or the range that the query sets for
 * each micro-batch.
 */
#include "op/op_int.h"

typedef struct scan_spec {
    ps_source_info *info;
    bool *wanted; /* per column of the source: visible ones, then hidden ones */
    int n_columns;
} scan_spec;

typedef struct scan_op {
    ps_op op;
    ps_scan *scan;
    int64_t n_rows;
} scan_op;

PSI_OP_FREE(psi_scan_free)
{
    scan_spec *scan = spec;

    ps_source_info_unref(scan->info);
    ps_free(scan->wanted);
    ps_free(scan);
}

static ps_status scan_node(const ps_op_row *row, ps_source_info *info, ps_node **out, scan_spec **spec, ps_error *err)
{
    ps_node *node = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_node_new(row, NULL, 0, &node, err));
    PS_TRY_OR(fail, ps_alloc0(sizeof **spec, spec, err));
    node->spec = *spec;
    (*spec)->info = ps_source_info_ref(info);
    (*spec)->n_columns = info->schema->n_fields + (info->hidden ? info->hidden->n_fields : 0);
    PS_TRY_OR(fail, ps_alloc0((size_t)(*spec)->n_columns, &(*spec)->wanted, err));
    node->streaming = info->streaming;
    *out = node;
    return PS_OK;
fail:
    ps_node_unref(node);
    return rc;
}

static ps_status add_fields(ps_node *node, const ps_type *schema, bool hidden, ps_error *err)
{
    for (int i = 0; schema && i < schema->n_fields; i++) {
        ps_attr *attr;

        PS_TRY(ps_attrs_add(&node->out, schema->fields[i].name, schema->fields[i].type, schema->fields[i].nullable, &attr, err));
        attr->hidden = hidden;
        if (schema->fields[i].metadata)
            PS_TRY(ps_strdup(schema->fields[i].metadata, &attr->metadata, err));
    }
    return PS_OK;
}

PSI_OP_BIND(psi_scan_bind)
{
    const ps_arg *arg = ps_args_find(args, "source");
    ps_node *made = NULL;
    scan_spec *spec = NULL;
    ps_status rc;

    PS_TRY(scan_node((*node)->row, arg->source, &made, &spec, err));
    memset(spec->wanted, true, (size_t)spec->n_columns);
    PS_TRY_OR(fail, add_fields(made, arg->source->schema, false, err));
    PS_TRY_OR(fail, add_fields(made, arg->source->hidden, true, err));
    ps_node_unref(*node);
    *node = made;
    return PS_OK;
fail:
    ps_node_unref(made);
    return rc;
}

PSI_OP_REMAKE(psi_scan_remake)
{
    const scan_spec *from = node->spec;
    ps_node *made = NULL;
    scan_spec *spec = NULL;
    ps_status rc;
    int at = 0; /* node->out has one attribute per wanted column, in order */

    PS_UNUSED(inputs);
    *out = NULL;
    PS_TRY(scan_node(node->row, from->info, &made, &spec, err));
    for (int i = 0; i < from->n_columns; i++) {
        if (!from->wanted[i])
            continue;
        if (ps_ids_has(wanted, node->out.items[at].id)) {
            spec->wanted[i] = true;
            PS_TRY_OR(fail, ps_attrs_add_copy(&made->out, &node->out.items[at], err));
        }
        at++;
    }
    *out = made;
    return PS_OK;
fail:
    ps_node_unref(made);
    return rc;
}

PSI_OP_DESCRIBE(psi_scan_describe)
{
    const scan_spec *spec = node->spec;

    PS_TRY(ps_bytes_printf(out, err, "%s %s[", spec->info->streaming ? "StreamingRelation" : "Relation", spec->info->name));
    PS_TRY(psi_attrs_text(&node->out, out, err));
    return ps_bytes_char(out, ']', err);
}

ps_source_info *ps_scan_node_source(const ps_node *node)
{
    return strcmp(node->row->kind, "source") == 0 && node->streaming ? ((scan_spec *)node->spec)->info : NULL;
}

const bool *ps_scan_node_wanted(const ps_node *node) { return ((scan_spec *)node->spec)->wanted; }

void ps_scan_op_set(ps_op *op, ps_scan *scan)
{
    scan_op *self = (scan_op *)op;

    if (self->scan)
        self->scan->vt->free(self->scan);
    self->scan = scan;
}

ps_scan *psi_scan_op_scan(const ps_op *op) { return ((const scan_op *)op)->scan; }

int64_t ps_scan_op_rows(const ps_op *op) { return ((const scan_op *)op)->n_rows; }

ps_status psi_scan_op_slice(ps_op *op, ps_cursor *cursor, int64_t slice, ps_error *err)
{
    PS_TRY(cursor->vt->seek(cursor, slice, err));
    while (!ps_op_is_done(op->next)) {
        ps_batch *batch = NULL;
        ps_status rc;

        PS_TRY(ps_run_check(op->run, err));
        PS_TRY(cursor->vt->next(cursor, &batch, err));
        if (!batch)
            break;
        ((scan_op *)op)->n_rows += batch->n_sel;
        rc = ps_op_emit(op, batch, err);
        ps_batch_unref(batch);
        PS_TRY(rc);
    }
    return PS_OK;
}

static ps_status read_everything(scan_op *self, ps_error *err)
{
    const scan_spec *spec = self->op.node->spec;
    ps_source_open_args args = {.conf = self->op.run->conf, .fs = self->op.run->fs, .clock = self->op.run->clock,
                                .check = ps_run_checked, .check_self = self->op.run};
    ps_scan *scan = NULL;

    PS_TRY(spec->info->vt->read_all(spec->info, &args, spec->wanted, &scan, err));
    ps_scan_op_set(&self->op, scan);
    return PS_OK;
}

static ps_status scan_begin(ps_op *op, ps_error *err)
{
    const scan_spec *spec = op->node->spec;

    ((scan_op *)op)->n_rows = 0;
    return spec->info->streaming ? PS_OK : read_everything((scan_op *)op, err);
}

static ps_status scan_produce(ps_op *op, ps_error *err)
{
    ps_scan *scan = ((scan_op *)op)->scan;
    ps_cursor *cursor = NULL;
    ps_status rc;

    if (!scan || scan->n_slices == 0)
        return PS_OK;
    PS_TRY(scan->vt->cursor(scan, &cursor, err));
    rc = PS_OK;
    for (int64_t slice = 0; rc == PS_OK && slice < scan->n_slices && !ps_op_is_done(op->next); slice++)
        rc = psi_scan_op_slice(op, cursor, slice, err);
    cursor->vt->free(cursor);
    ps_scan_op_set(op, NULL);
    return rc;
}

/* A copy reads slices of the original's range, never a range of its own. */
static ps_status scan_share(ps_op *copy, ps_op *original, ps_error *err)
{
    PS_UNUSED(original);
    PS_UNUSED(err);
    ((scan_op *)copy)->n_rows = 0;
    return PS_OK;
}

static void scan_gather(ps_op *original, ps_op *copy) { ((scan_op *)original)->n_rows += ((scan_op *)copy)->n_rows; }

static void scan_close(ps_op *op)
{
    ps_scan_op_set(op, NULL);
    ps_free(op);
}

PSI_OP_OPEN(psi_scan_open)
{
    static const ps_op_vt vt = {.begin = scan_begin, .produce = scan_produce, .share = scan_share, .gather = scan_gather, .close = scan_close};

    *out = NULL;
    return psi_op_new(sizeof(scan_op), &vt, node, run, out, err);
}
