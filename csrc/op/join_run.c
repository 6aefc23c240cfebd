/*
 * op/join_run.c - the hash join: one side is kept in a table, the other probes it batch by batch.
 *
 * The kept side is the static one where the other is a stream, else the right one.  It is read anew for every
 * micro-batch (stateful.md 5.2) unless it is made of rows that cannot change.
 */
#include "op/join_int.h"

#define NO_ROW (-1)

typedef struct join_op {
    ps_op op;
    int build, probe;          /* which input is kept, which comes through */
    ps_program *keys[2];
    ps_program *residual;      /* over left columns, then right columns */
    ps_vec **key_vecs;         /* room for the keys of one probe batch */
    ps_batches rows;           /* the kept side while it arrives */
    ps_batch *kept;            /* then in one piece */
    ps_vec **kept_keys;
    uint64_t *hashes;          /* per kept row */
    int32_t *heads, *links;    /* chains by hash: first row per place, next row */
    uint64_t mask;
    bool *kept_matched;        /* per kept row, when unmatched ones come out */
    bool borrowed;             /* the table is another's, who runs on other workers too */
    bool fixed;                /* the kept side cannot change between micro-batches */
    int *out_column, *out_side; /* per output */
    uint64_t *probe_hashes;
    int64_t probe_capacity;
} join_op;

/* Pairs of (probe row, kept row) that wait to be emitted. */
typedef struct pairs {
    ps_buf *probe, *kept;
    int64_t n;
} pairs;

static bool side_is_outer(const join_op *self, int side)
{
    ps_join_kind kind = ((const psi_join_spec *)self->op.node->spec)->kind;
    return kind == PS_JOIN_FULL || (kind == PS_JOIN_LEFT && side == 0) || (kind == PS_JOIN_RIGHT && side == 1);
}

/* --- the kept side -------------------------------------------------------------------------------------- */

static void drop_table(join_op *self)
{
    const psi_join_spec *spec = self->op.node->spec;

    if (self->borrowed) {
        self->kept = NULL;
        memset(self->kept_keys, 0, (size_t)spec->n_keys * sizeof *self->kept_keys);
        self->hashes = NULL;
        self->heads = self->links = NULL;
        return;
    }
    ps_batch_unref(self->kept);
    self->kept = NULL;
    for (int i = 0; self->kept_keys && i < spec->n_keys; i++) {
        ps_vec_unref(self->kept_keys[i]);
        self->kept_keys[i] = NULL;
    }
    ps_free(self->hashes);
    ps_free(self->heads);
    ps_free(self->links);
    ps_free(self->kept_matched);
    self->hashes = NULL;
    self->heads = self->links = NULL;
    self->kept_matched = NULL;
}

/* True when a key that must not be NULL is. */
static bool key_is_null(const psi_join_spec *spec, ps_vec *const *keys, int64_t row)
{
    for (int i = 0; i < spec->n_keys; i++)
        if (!spec->null_safe[i] && ps_vec_is_null(keys[i], row))
            return true;
    return false;
}

static void hash_keys(const psi_join_spec *spec, ps_vec *const *keys, const ps_rows *live, uint64_t *hashes)
{
    if (spec->n_keys == 0)
        memset(hashes, 0, (size_t)live->n * sizeof *hashes);
    for (int i = 0; i < spec->n_keys; i++)
        ps_vec_hash(keys[i], live->sel, live->n, 1, i > 0, hashes);
}

static ps_status build_table(join_op *self, ps_error *err)
{
    const psi_join_spec *spec = self->op.node->spec;
    const ps_attrs *from = &self->op.node->inputs[self->build]->out;
    const ps_type **types = NULL;
    ps_rows all;
    uint64_t n_places = 16;
    ps_status rc;

    PS_TRY(ps_alloc((size_t)from->n * sizeof *types, &types, err));
    for (int i = 0; i < from->n; i++)
        types[i] = from->items[i].type;
    rc = ps_batches_concat(&self->rows, from->n, types, &self->kept, err);
    ps_free(types);
    ps_batches_clear(&self->rows);
    PS_TRY(rc);
    if (self->kept->n_rows > INT32_MAX / 2)
        return ps_raise(err, PS_E_INTERNAL, "the kept side of a join has too many rows");
    all = ps_batch_live(self->kept);
    if (spec->n_keys > 0)
        PS_TRY(ps_program_run(self->keys[self->build], self->kept, self->kept_keys, err));
    while (n_places < (uint64_t)all.n * 2)
        n_places *= 2;
    self->mask = n_places - 1;
    PS_TRY(ps_alloc((size_t)all.n * sizeof *self->hashes, &self->hashes, err));
    PS_TRY(ps_alloc(n_places * sizeof *self->heads, &self->heads, err));
    PS_TRY(ps_alloc((size_t)all.n * sizeof *self->links, &self->links, err));
    if (side_is_outer(self, self->build))
        PS_TRY(ps_alloc0((size_t)all.n, &self->kept_matched, err));
    memset(self->heads, 0xff, n_places * sizeof *self->heads);
    hash_keys(spec, self->kept_keys, &all, self->hashes);
    for (int64_t row = all.n - 1; row >= 0; row--) { /* from the end: chains then run in row order */
        uint64_t place = self->hashes[row] & self->mask;

        if (key_is_null(spec, self->kept_keys, row))
            continue;
        self->links[row] = self->heads[place];
        self->heads[place] = (int32_t)row;
    }
    return PS_OK;
}

/* --- probing -------------------------------------------------------------------------------------------------- */

/* How keys are compared: one text, one value of eight bytes, or anything. */
typedef enum key_form { KEY_TEXT, KEY_WORD, KEY_ANY } key_form;
typedef struct key_pair {
    const join_op *self;
    key_form form;
    ps_view probe, kept; /* of the key when there is one */
} key_pair;

static key_pair key_pair_of(const join_op *self)
{
    const psi_join_spec *spec = self->op.node->spec;
    key_pair pair = {.self = self, .form = KEY_ANY};
    ps_kind kind;

    if (spec->n_keys != 1 || spec->null_safe[0])
        return pair;
    ps_view_init(&pair.probe, self->key_vecs[0]);
    ps_view_init(&pair.kept, self->kept_keys[0]);
    kind = self->key_vecs[0]->type->kind;
    if (ps_kind_is_text(kind))
        pair.form = KEY_TEXT;
    else if (kind == PS_INT64 || kind == PS_TIMESTAMP)
        pair.form = KEY_WORD;
    return pair;
}

static inline bool keys_equal(const key_pair *pair, int64_t probe_row, int64_t kept_row)
{
    const join_op *self = pair->self;
    const psi_join_spec *spec = self->op.node->spec;
    int64_t a, b;

    if (pair->form != KEY_ANY) { /* a key that is NULL is in no chain and looks for none */
        a = ps_at(&pair->probe, probe_row);
        b = ps_at(&pair->kept, kept_row);
        if (pair->form == KEY_TEXT)
            return ps_str_equal((const ps_str *)pair->probe.data + a, (const ps_str *)pair->kept.data + b);
        return ((const int64_t *)pair->probe.data)[a] == ((const int64_t *)pair->kept.data)[b];
    }
    for (int i = 0; i < spec->n_keys; i++)
        if (!ps_vec_equal_rows(self->key_vecs[i], probe_row, self->kept_keys[i], kept_row))
            return false;
    return true;
}

/* Columns of both sides for the residual condition: left first. */
static ps_status candidate_batch(join_op *self, ps_batch *probe, const pairs *found, ps_batch **out, ps_error *err)
{
    const ps_attrs *from[2] = {&self->op.node->inputs[0]->out, &self->op.node->inputs[1]->out};
    int at = 0;
    ps_status rc;

    PS_TRY(ps_batch_new(from[0]->n + from[1]->n, found->n, out, err));
    for (int side = 0; side < 2; side++) {
        ps_batch *of = side == self->probe ? probe : self->kept;
        ps_buf *index = side == self->probe ? found->probe : found->kept;

        for (int c = 0; c < from[side]->n; c++)
            PS_TRY_OR(fail, ps_vec_take(of->cols[c], (const int32_t *)index->data, found->n, index, &(*out)->cols[at++], err));
    }
    return PS_OK;
fail:
    ps_batch_unref(*out);
    *out = NULL;
    return rc;
}

/* Output columns from pairs; an absent index stands for NULLs on that side. */
static ps_status output_batch(join_op *self, ps_batch *probe, ps_buf *probe_index, ps_buf *kept_index, int64_t n, ps_batch **out, ps_error *err)
{
    const ps_attrs *outs = &self->op.node->out;
    ps_status rc;

    PS_TRY(ps_batch_new(outs->n, n, out, err));
    for (int i = 0; i < outs->n; i++) {
        bool from_probe = self->out_side[i] == self->probe;
        ps_batch *of = from_probe ? probe : self->kept;
        ps_buf *index = from_probe ? probe_index : kept_index;

        if (index)
            PS_TRY_OR(fail, ps_vec_take(of->cols[self->out_column[i]], (const int32_t *)index->data, n, index, &(*out)->cols[i], err));
        else
            PS_TRY_OR(fail, ps_vec_null(outs->items[i].type, n, &(*out)->cols[i], err));
    }
    return PS_OK;
fail:
    ps_batch_unref(*out);
    *out = NULL;
    return rc;
}

/* Narrows the pairs to those for which the residual condition holds. */
static ps_status apply_residual(join_op *self, ps_batch *probe, pairs *found, ps_error *err)
{
    ps_batch *candidates = NULL, *passed = NULL;
    int32_t *p = (int32_t *)found->probe->data, *k = (int32_t *)found->kept->data;
    ps_status rc;

    PS_TRY(candidate_batch(self, probe, found, &candidates, err));
    rc = ps_program_filter(self->residual, candidates, &passed, err);
    if (rc == PS_OK) {
        ps_rows live = passed ? ps_batch_live(passed) : (ps_rows){0};
        for (int64_t j = 0; j < live.n; j++) { /* the candidates are done with: their indexes may be written over */
            int64_t row = ps_row(&live, j);
            p[j] = p[row];
            k[j] = k[row];
        }
        found->n = live.n;
    }
    ps_batch_unref(passed);
    ps_batch_unref(candidates);
    return rc;
}

static ps_status flush(join_op *self, ps_batch *probe, pairs *found, bool *matched, ps_error *err)
{
    const psi_join_spec *spec = self->op.node->spec;
    ps_batch *result = NULL;
    ps_status rc = PS_OK;

    if (found->n > 0 && self->residual)
        rc = apply_residual(self, probe, found, err);
    if (rc == PS_OK && found->n > 0) {
        const int32_t *p = (const int32_t *)found->probe->data, *k = (const int32_t *)found->kept->data;

        for (int64_t j = 0; matched && j < found->n; j++)
            matched[p[j]] = true;
        for (int64_t j = 0; self->kept_matched && j < found->n; j++)
            self->kept_matched[k[j]] = true;
        if (psi_join_gives_right(spec->kind))
            rc = output_batch(self, probe, found->probe, found->kept, found->n, &result, err);
        if (rc == PS_OK && result)
            rc = ps_op_emit(&self->op, result, err);
    }
    ps_batch_unref(result);
    ps_buf_unref(found->probe); /* the result may have been kept: its indexes stay with it */
    ps_buf_unref(found->kept);
    *found = (pairs){0};
    return rc;
}

static ps_status add_pair(join_op *self, ps_batch *probe, pairs *found, int64_t probe_row, int32_t kept_row, bool *matched, ps_error *err)
{
    if (!found->probe) {
        PS_TRY(ps_buf_new((size_t)ps_batch_rows * sizeof(int32_t), &found->probe, err));
        PS_TRY(ps_buf_new((size_t)ps_batch_rows * sizeof(int32_t), &found->kept, err));
    }
    ((int32_t *)found->probe->data)[found->n] = (int32_t)probe_row;
    ((int32_t *)found->kept->data)[found->n] = kept_row;
    return ++found->n == ps_batch_rows ? flush(self, probe, found, matched, err) : PS_OK;
}

static ps_status find_pairs(join_op *self, ps_batch *probe, bool *matched, ps_error *err)
{
    const psi_join_spec *spec = self->op.node->spec;
    ps_rows live = ps_batch_live(probe);
    const key_pair keys = key_pair_of(self);
    pairs found = {0};
    ps_status rc = PS_OK;

    for (int64_t j = 0; j < live.n; j++) {
        int64_t row = ps_row(&live, j);
        uint64_t hash = self->probe_hashes[j];
        int32_t at = self->heads[hash & self->mask];

        if (at == NO_ROW || key_is_null(spec, self->key_vecs, row))
            continue;
        for (; at != NO_ROW; at = self->links[at]) {
            if (self->hashes[at] != hash || !keys_equal(&keys, row, at))
                continue;
            PS_TRY_OR(done, add_pair(self, probe, &found, row, at, matched, err));
            if (!psi_join_gives_right(spec->kind) && !self->residual)
                break; /* one match tells all */
        }
    }
    rc = flush(self, probe, &found, matched, err);
done:
    ps_buf_unref(found.probe);
    ps_buf_unref(found.kept);
    return rc;
}

/* Probe rows by whether they matched: all columns of a semi or anti join, or an outer join's rows with NULLs. */
static ps_status emit_by_match(join_op *self, ps_batch *probe, const bool *matched, bool want, ps_error *err)
{
    ps_rows live = ps_batch_live(probe);
    ps_buf *index = NULL;
    ps_batch *result = NULL;
    int64_t n = 0;
    ps_status rc;

    PS_TRY(ps_buf_new((size_t)live.n * sizeof(int32_t), &index, err));
    for (int64_t j = 0; j < live.n; j++)
        if (matched[ps_row(&live, j)] == want)
            ((int32_t *)index->data)[n++] = (int32_t)ps_row(&live, j);
    rc = n == 0 ? PS_OK : output_batch(self, probe, index, NULL, n, &result, err);
    if (rc == PS_OK && result)
        rc = ps_op_emit(&self->op, result, err);
    ps_batch_unref(result);
    ps_buf_unref(index);
    return rc;
}

static ps_status probe_batch(join_op *self, ps_batch *probe, ps_error *err)
{
    const psi_join_spec *spec = self->op.node->spec;
    bool needs_match = side_is_outer(self, self->probe) || !psi_join_gives_right(spec->kind);
    ps_rows live = ps_batch_live(probe);
    bool *matched = NULL;
    ps_status rc;

    if (live.n > self->probe_capacity) {
        PS_TRY(ps_realloc((size_t)live.n * sizeof *self->probe_hashes, &self->probe_hashes, err));
        self->probe_capacity = live.n;
    }
    if (spec->n_keys > 0)
        PS_TRY(ps_program_run(self->keys[self->probe], probe, self->key_vecs, err));
    rc = needs_match ? ps_alloc0((size_t)probe->n_rows, &matched, err) : PS_OK;
    if (rc == PS_OK) {
        hash_keys(spec, self->key_vecs, &live, self->probe_hashes);
        rc = find_pairs(self, probe, matched, err);
    }
    if (rc == PS_OK && needs_match)
        rc = emit_by_match(self, probe, matched, spec->kind == PS_JOIN_SEMI, err);
    for (int i = 0; i < spec->n_keys; i++) {
        ps_vec_unref(self->key_vecs[i]);
        self->key_vecs[i] = NULL;
    }
    ps_free(matched);
    return rc;
}

static ps_status emit_kept_unmatched(join_op *self, ps_error *err)
{
    for (int64_t start = 0; start < self->kept->n_rows;) {
        ps_buf *index = NULL;
        ps_batch *result = NULL;
        int64_t n = 0;
        ps_status rc;

        PS_TRY(ps_buf_new((size_t)ps_batch_rows * sizeof(int32_t), &index, err));
        for (; start < self->kept->n_rows && n < ps_batch_rows; start++)
            if (!self->kept_matched[start])
                ((int32_t *)index->data)[n++] = (int32_t)start;
        rc = n == 0 ? PS_OK : output_batch(self, NULL, NULL, index, n, &result, err);
        if (rc == PS_OK && result)
            rc = ps_op_emit(&self->op, result, err);
        ps_batch_unref(result);
        ps_buf_unref(index);
        PS_TRY(rc);
    }
    return PS_OK;
}

/* --- the operator ------------------------------------------------------------------------------------------------ */

static ps_status join_begin(ps_op *op, ps_error *err)
{
    join_op *self = (join_op *)op;

    PS_UNUSED(err);
    if (self->kept && self->fixed) {
        op->skip_port = self->build;
        return PS_OK;
    }
    ps_batches_clear(&self->rows);
    drop_table(self);
    return PS_OK;
}

static ps_status join_push(ps_op *op, int port, ps_batch *batch, ps_error *err)
{
    join_op *self = (join_op *)op;
    ps_batch *copy = NULL;
    ps_status rc;

    if (port == self->probe)
        return probe_batch(self, batch, err);
    PS_TRY(ps_batch_copy(batch, &copy, err));
    rc = ps_batches_add(&self->rows, copy, err);
    ps_batch_unref(copy);
    return rc;
}

static ps_status join_finish(ps_op *op, int port, ps_error *err)
{
    join_op *self = (join_op *)op;

    if (port == self->build)
        return build_table(self, err);
    return self->kept_matched ? emit_kept_unmatched(self, err) : PS_OK;
}

static ps_status join_share(ps_op *copy, ps_op *original, ps_error *err)
{
    join_op *to = (join_op *)copy;
    const join_op *from = (const join_op *)original;
    const psi_join_spec *spec = copy->node->spec;

    PS_UNUSED(err);
    to->borrowed = true;
    to->kept = from->kept;
    memcpy(to->kept_keys, from->kept_keys, (size_t)spec->n_keys * sizeof *to->kept_keys);
    to->hashes = from->hashes;
    to->heads = from->heads;
    to->links = from->links;
    to->mask = from->mask;
    return PS_OK;
}

static void join_close(ps_op *op)
{
    join_op *self = (join_op *)op;

    drop_table(self);
    ps_batches_clear(&self->rows);
    ps_program_free(self->keys[0]);
    ps_program_free(self->keys[1]);
    ps_program_free(self->residual);
    ps_free(self->key_vecs);
    ps_free(self->kept_keys);
    ps_free(self->out_column);
    ps_free(self->out_side);
    ps_free(self->probe_hashes);
    ps_free(self);
}

int psi_join_build_port(const ps_op *op)
{
    const join_op *self = (const join_op *)op;
    return side_is_outer(self, self->build) ? -1 : self->build;
}

/* Rows at hand under operators that give the same rows every time. */
static bool is_fixed(const ps_node *node)
{
    if (node->n_inputs == 0)
        return strcmp(node->row->kind, "local") == 0 || strcmp(node->row->kind, "range") == 0;
    if (node->n_inputs > 1 || !(node->row->flags & PS_OP_CHAIN))
        return false;
    return is_fixed(node->inputs[0]);
}

static ps_status open_residual(join_op *self, const ps_node *node, ps_run *run, ps_error *err)
{
    const psi_join_spec *spec = node->spec;
    ps_bound *residual = spec->residual;
    ps_attrs both = {0};
    ps_status rc = PS_OK;

    for (int side = 0; side < 2; side++)
        for (int i = 0; rc == PS_OK && i < node->inputs[side]->out.n; i++)
            rc = ps_attrs_add_copy(&both, &node->inputs[side]->out.items[i], err);
    if (rc == PS_OK)
        rc = ps_program_new(&residual, 1, &both, &run->env, &self->residual, err);
    ps_attrs_clear(&both);
    return rc;
}

static ps_status open_outputs(join_op *self, const ps_node *node, ps_error *err)
{
    PS_TRY(ps_alloc((size_t)node->out.n * sizeof *self->out_column, &self->out_column, err));
    PS_TRY(ps_alloc((size_t)node->out.n * sizeof *self->out_side, &self->out_side, err));
    for (int i = 0; i < node->out.n; i++) {
        int at = ps_attrs_find_id(&node->inputs[0]->out, node->out.items[i].id);

        self->out_side[i] = at < 0;
        self->out_column[i] = at >= 0 ? at : ps_attrs_find_id(&node->inputs[1]->out, node->out.items[i].id);
    }
    return PS_OK;
}

PSI_OP_OPEN(psi_join_open)
{
    static const ps_op_vt vt = {.begin = join_begin, .push = join_push, .finish = join_finish, .share = join_share, .close = join_close};
    const psi_join_spec *spec = node->spec;
    join_op *self = NULL;
    ps_status rc;

    *out = NULL;
    ps_assert(!node->inputs[0]->streaming || !node->inputs[1]->streaming); /* plan/check.c */
    PS_TRY(psi_op_new(sizeof *self, &vt, node, run, &self, err));
    self->build = node->inputs[1]->streaming ? 0 : 1;
    self->probe = 1 - self->build;
    self->op.order[0] = self->build;
    self->op.order[1] = self->probe;
    self->fixed = run->streaming && is_fixed(node->inputs[self->build]) && !side_is_outer(self, self->build);
    PS_TRY_OR(fail, ps_alloc0((size_t)spec->n_keys * sizeof *self->key_vecs, &self->key_vecs, err));
    PS_TRY_OR(fail, ps_alloc0((size_t)spec->n_keys * sizeof *self->kept_keys, &self->kept_keys, err));
    for (int side = 0; spec->n_keys > 0 && side < 2; side++)
        PS_TRY_OR(fail, ps_program_new(spec->keys[side], spec->n_keys, &node->inputs[side]->out, &run->env, &self->keys[side], err));
    if (spec->residual)
        PS_TRY_OR(fail, open_residual(self, node, run, err));
    PS_TRY_OR(fail, open_outputs(self, node, err));
    *out = &self->op;
    return PS_OK;
fail:
    join_close(&self->op);
    return rc;
}
