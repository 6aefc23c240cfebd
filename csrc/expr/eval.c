/*
 * expr/eval.c - programs: bound trees with columns settled and scratch at hand.
 *
 * A node asks for the values of its arguments over the same rows; lazy functions ask for fewer.  Equal subtrees are one
 * node, and what it gave for all rows of the batch is kept until the batch is done.
 */
#include "expr/eval.h"
#include "expr/bound.h"
#include "expr/fn_int.h"

typedef struct psi_node {
    ps_bound *bound; /* owned */
    int column;      /* COLUMN: position in the batch, else -1 */
    struct psi_node **args; /* borrowed from the program */
    void *scratch;
    bool shared;     /* more than one parent */
    ps_vec *memo;    /* shared: the value over all rows of this run */
} psi_node;

/* Where names get their values: the batch, or the elements that a lambda runs over. */
typedef struct psi_place {
    const struct psi_place *outer;
    ps_batch *batch;
    const psi_node *lambda;
    ps_vec *const *params;
    const int32_t *parent;
    int64_t n;
} psi_place;

struct ps_program {
    const ps_eval_env *env;
    psi_node **nodes; /* owned */
    int n_nodes, nodes_capacity;
    psi_node **roots;
    int n_roots;
    const psi_place *place;
    const ps_rows *all; /* the live rows of the run */
};

/* --- making ---------------------------------------------------------------------------------------------------------- */
static ps_status add_node(ps_program *program, ps_bound *bound, const ps_attrs *input, psi_node **out, ps_error *err);

static psi_node *find_equal(const ps_program *program, const ps_bound *bound)
{
    if (bound->kind != PS_B_CALL || !bound->deterministic || bound->fn->flags & PS_FN_VOLATILE)
        return NULL;
    for (int i = 0; i < program->n_nodes && i < 256; i++)
        if (program->nodes[i]->bound->kind == PS_B_CALL && ps_bound_equal(program->nodes[i]->bound, bound))
            return program->nodes[i];
    return NULL;
}

static ps_status fill_node(ps_program *program, psi_node *node, const ps_attrs *input, ps_error *err)
{
    const ps_bound *bound = node->bound;

    if (bound->kind == PS_B_COLUMN) {
        node->column = input ? ps_attrs_find_id(input, bound->attr_id) : -1;
        if (node->column < 0)
            return ps_raise(err, PS_E_INTERNAL, bound->name);
    }
    PS_TRY(ps_alloc0((size_t)bound->n_args * sizeof *node->args, &node->args, err));
    for (int i = 0; i < bound->n_args; i++)
        PS_TRY(add_node(program, bound->args[i], input, &node->args[i], err));
    if (bound->kind == PS_B_CALL && bound->fn->scratch_size)
        PS_TRY(ps_alloc0(bound->fn->scratch_size, &node->scratch, err));
    return PS_OK;
}

static ps_status add_node(ps_program *program, ps_bound *bound, const ps_attrs *input, psi_node **out, ps_error *err)
{
    psi_node *node = find_equal(program, bound);

    if (node) {
        node->shared = true;
        *out = node;
        return PS_OK;
    }
    PS_TRY(ps_grow(&program->nodes, program->n_nodes, &program->nodes_capacity, sizeof *program->nodes, err));
    PS_TRY(ps_alloc0(sizeof *node, &node, err));
    program->nodes[program->n_nodes++] = node;
    node->bound = ps_bound_ref(bound);
    node->column = -1;
    *out = node;
    return fill_node(program, node, input, err);
}

ps_status ps_program_new(ps_bound *const *exprs, int n, const ps_attrs *input, const ps_eval_env *env, ps_program **out, ps_error *err)
{
    ps_program *program;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_alloc0(sizeof *program, &program, err));
    program->env = env;
    PS_TRY_OR(fail, ps_alloc0((size_t)n * sizeof *program->roots, &program->roots, err));
    for (int i = 0; i < n; i++)
        PS_TRY_OR(fail, add_node(program, exprs[i], input, &program->roots[i], err));
    program->n_roots = n;
    *out = program;
    return PS_OK;
fail:
    ps_program_free(program);
    return rc;
}

void ps_program_free(ps_program *program)
{
    if (!program)
        return;
    for (int i = 0; i < program->n_nodes; i++) {
        psi_node *node = program->nodes[i];
        if (node->scratch && node->bound->fn->free_scratch)
            node->bound->fn->free_scratch(node->scratch);
        ps_free(node->scratch);
        ps_free(node->args);
        ps_vec_unref(node->memo);
        ps_bound_unref(node->bound);
        ps_free(node);
    }
    ps_free(program->nodes);
    ps_free(program->roots);
    ps_free(program);
}

/* --- names ------------------------------------------------------------------------------------------------------------ */
/* A value of an outer place, as the elements of this one see it. */
static ps_status brought_in(const psi_place *place, ps_vec *vec, ps_vec **out, ps_error *err)
{
    ps_status rc;

    if (vec->shape == PS_CONST)
        rc = vec->n_rows > 0 ? ps_vec_repeat(vec, 0, place->n, out, err) : ps_vec_null(vec->type, place->n, out, err);
    else
        rc = ps_vec_take(vec, place->parent, place->n, NULL, out, err);
    ps_vec_unref(vec);
    return rc;
}

static ps_status eval_column(const psi_place *place, const psi_node *node, ps_vec **out, ps_error *err)
{
    ps_vec *outer;

    if (!place->outer) {
        *out = ps_vec_ref(place->batch->cols[node->column]);
        return PS_OK;
    }
    PS_TRY(eval_column(place->outer, node, &outer, err));
    return brought_in(place, outer, out, err);
}

static ps_status eval_param(const psi_place *place, const psi_node *node, ps_vec **out, ps_error *err)
{
    ps_vec *outer;

    if (!place->outer)
        return ps_raise(err, PS_E_INTERNAL, "a lambda's parameter outside of it");
    for (int i = 0; i < place->lambda->bound->n_params; i++) {
        if (place->lambda->bound->params[i] == node->bound->attr_id) {
            *out = ps_vec_ref(place->params[i]);
            return PS_OK;
        }
    }
    PS_TRY(eval_param(place->outer, node, &outer, err));
    return brought_in(place, outer, out, err);
}

/* --- calls ------------------------------------------------------------------------------------------------------------- */
static ps_status eval_node(ps_program *program, psi_node *node, const ps_rows *rows, ps_vec **out, ps_error *err);

/* The kernel over one row, for all rows. */
static ps_status run_once(ps_fn_run *run, int64_t n_rows, ps_vec **out, ps_error *err)
{
    static const ps_rows one = {1, NULL, 1};
    ps_vec *value;
    ps_status rc;

    run->rows = &one;
    PS_TRY(run->node->fn->run(run, &value, err));
    rc = ps_vec_repeat(value, 0, n_rows, out, err);
    ps_vec_unref(value);
    return rc;
}

/* The one argument that is a DICT while the others are constants, or -1. */
static int lone_dict(const ps_fn_run *run)
{
    int found = -1;

    for (int i = 0; i < run->n_args; i++) {
        if (run->args[i] && run->args[i]->shape == PS_CONST)
            continue;
        if (!run->args[i] || run->args[i]->shape != PS_DICT || found >= 0)
            return -1;
        found = i;
    }
    return found;
}

/* Runs the kernel over the dictionary; *out NULL when an entry (perhaps one that no row shows) cannot be computed. */
static ps_status run_on_dict(ps_fn_run *run, int at, ps_vec **args, ps_vec **out, ps_error *err)
{
    ps_vec *vec = args[at], *values = NULL, *flat = NULL;
    const ps_rows *rows = run->rows;
    const ps_rows entries = {vec->dict->n_rows, NULL, vec->dict->n_rows};
    ps_status rc;

    *out = NULL;
    args[at] = vec->dict;
    run->rows = &entries;
    rc = run->node->fn->run(run, &values, NULL);
    run->rows = rows;
    args[at] = vec;
    if (rc != PS_OK)
        return PS_OK;
    rc = ps_vec_flatten(values, &flat, err);
    ps_vec_unref(values);
    if (rc == PS_OK)
        rc = ps_vec_take(flat, vec->index, vec->n_rows, vec->index_buf, out, err);
    ps_vec_unref(flat);
    return rc;
}

static ps_status run_kernel(ps_fn_run *run, ps_vec **args, ps_vec **out, ps_error *err)
{
    const ps_fn *fn = run->node->fn;
    bool constant = !(fn->flags & PS_FN_VOLATILE);
    int dict;

    for (int i = 0; i < run->n_args; i++) {
        if (!args[i]) {
            constant = false; /* a lambda, which may use columns */
            continue;
        }
        constant &= args[i]->shape == PS_CONST;
        if (fn->flags & PS_FN_STRICT && args[i]->shape == PS_CONST && ps_vec_is_null(args[i], 0))
            return ps_vec_null(run->type, run->rows->n_rows, out, err);
    }
    if (constant)
        return run_once(run, run->rows->n_rows, out, err);
    if (fn->flags & PS_FN_STRICT && !(fn->flags & PS_FN_VOLATILE)) {
        dict = lone_dict(run);
        if (dict >= 0 && args[dict]->dict->n_rows > 0 && args[dict]->dict->n_rows <= run->rows->n) {
            PS_TRY(run_on_dict(run, dict, args, out, err));
            if (*out)
                return PS_OK;
        }
    }
    return fn->run(run, out, err);
}

static ps_status eval_call(ps_program *program, psi_node *node, const ps_rows *rows, ps_vec **out, ps_error *err)
{
    const ps_bound *bound = node->bound;
    ps_vec *few[6] = {NULL}, **args = few;
    ps_fn_run run = {
        .node = bound,
        .env = program->env,
        .rows = rows,
        .n_args = bound->n_args,
        .type = bound->type,
        .scratch = node->scratch,
        .self = node,
        .program = program,
    };
    ps_status rc = PS_OK;

    if (bound->fn->flags & PS_FN_LAZY)
        return bound->fn->run(&run, out, err);
    if (bound->n_args > (int)PS_COUNT_OF(few))
        PS_TRY(ps_alloc0((size_t)bound->n_args * sizeof *args, &args, err));
    for (int i = 0; i < bound->n_args && rc == PS_OK; i++)
        if (bound->args[i]->kind != PS_B_LAMBDA)
            rc = eval_node(program, node->args[i], rows, &args[i], err);
    run.args = args;
    if (rc == PS_OK)
        rc = run_kernel(&run, args, out, err);
    for (int i = 0; i < bound->n_args; i++)
        ps_vec_unref(args[i]);
    if (args != few)
        ps_free(args);
    return rc;
}

static ps_status eval_node(ps_program *program, psi_node *node, const ps_rows *rows, ps_vec **out, ps_error *err)
{
    bool at_top = !program->place->outer;

    *out = NULL;
    if (rows->n == 0)
        return ps_vec_null(node->bound->type, rows->n_rows, out, err);
    switch (node->bound->kind) {
    case PS_B_LITERAL:
        return ps_vec_repeat(node->bound->value, 0, rows->n_rows, out, err);
    case PS_B_COLUMN:
        return eval_column(program->place, node, out, err);
    case PS_B_PARAM:
        return eval_param(program->place, node, out, err);
    default:
        break;
    }
    if (at_top && node->memo) {
        *out = ps_vec_ref(node->memo);
        return PS_OK;
    }
    PS_TRY(eval_call(program, node, rows, out, err));
    ps_assert((*out)->n_rows == rows->n_rows);
    if (node->shared && at_top && rows == program->all)
        node->memo = ps_vec_ref(*out);
    return PS_OK;
}

ps_status ps_fn_eval_arg(ps_fn_run *run, int arg, const ps_rows *rows, ps_vec **out, ps_error *err)
{
    return eval_node(run->program, run->self->args[arg], rows, out, err);
}

ps_status ps_fn_eval_lambda(ps_fn_run *run, int arg, ps_vec *const *params, int n_params, const int32_t *parent, int64_t n, ps_vec **out, ps_error *err)
{
    ps_program *program = run->program;
    const psi_node *lambda = run->self->args[arg];
    const psi_place *outer = program->place;
    const psi_place place = {outer, NULL, lambda, params, parent, n};
    const ps_rows rows = {n, NULL, n};
    ps_status rc;

    *out = NULL;
    ps_assert(lambda->bound->kind == PS_B_LAMBDA && lambda->bound->n_params <= n_params);
    PS_UNUSED(n_params);
    program->place = &place;
    rc = eval_node(program, lambda->args[0], &rows, out, err);
    program->place = outer;
    return rc;
}

/* --- running -------------------------------------------------------------------------------------------------------------- */
static ps_status run_root(ps_program *program, psi_node *root, ps_batch *batch, const ps_rows *rows, ps_vec **out, ps_error *err)
{
    const psi_place place = {.batch = batch};
    ps_status rc;

    program->place = &place;
    program->all = rows;
    rc = eval_node(program, root, rows, out, err);
    program->place = NULL;
    program->all = NULL;
    return rc;
}

static void forget(ps_program *program)
{
    for (int i = 0; i < program->n_nodes; i++) {
        ps_vec_unref(program->nodes[i]->memo);
        program->nodes[i]->memo = NULL;
    }
}

ps_status ps_program_run(ps_program *program, ps_batch *batch, ps_vec **outs, ps_error *err)
{
    const ps_rows rows = ps_batch_live(batch);
    ps_status rc = PS_OK;

    for (int i = 0; i < program->n_roots; i++)
        outs[i] = NULL;
    for (int i = 0; i < program->n_roots && rc == PS_OK; i++)
        rc = run_root(program, program->roots[i], batch, &rows, &outs[i], err);
    forget(program);
    for (int i = 0; i < program->n_roots && rc != PS_OK; i++) {
        ps_vec_unref(outs[i]);
        outs[i] = NULL;
    }
    return rc;
}

/* The live rows where vec is true, written to sel; their number. */
static int64_t select_true(const ps_vec *vec, const ps_rows *rows, int32_t *sel)
{
    ps_view view;
    const uint8_t *data;
    int64_t n = 0;

    ps_view_init(&view, vec);
    data = view.data;
    if (!view.valid && !view.index && view.mask && !rows->sel) {
        for (int64_t i = 0; i < rows->n_rows; i++) {
            sel[n] = (int32_t)i;
            n += data[i];
        }
        return n;
    }
    for (int64_t j = 0; j < rows->n; j++) {
        int64_t i = ps_row(rows, j), at = ps_at(&view, i);
        sel[n] = (int32_t)i;
        n += data[at] & (!view.valid || ps_bit(view.valid, at));
    }
    return n;
}

ps_status ps_program_filter(ps_program *program, ps_batch *batch, ps_batch **out, ps_error *err)
{
    const ps_rows rows = ps_batch_live(batch);
    ps_vec *vec;
    ps_buf *sel;
    int64_t n;
    ps_status rc;

    *out = NULL;
    if (rows.n == 0)
        return PS_OK;
    PS_TRY(ps_program_run(program, batch, &vec, err));
    rc = ps_buf_new((size_t)rows.n * sizeof(int32_t), &sel, err);
    if (rc != PS_OK) {
        ps_vec_unref(vec);
        return rc;
    }
    n = vec->type->kind == PS_NULL ? 0 : select_true(vec, &rows, (int32_t *)sel->data);
    ps_vec_unref(vec);
    if (n == rows.n || n == 0) {
        ps_buf_unref(sel);
        *out = n ? ps_batch_ref(batch) : NULL;
        return PS_OK;
    }
    return ps_batch_select(batch, sel, n, out, err);
}

ps_status ps_eval_constant(ps_bound *bound, const ps_eval_env *env, ps_vec **out, ps_error *err)
{
    ps_program *program = NULL;
    ps_batch *batch = NULL;
    ps_status rc;

    *out = NULL;
    if (ps_bound_is_literal(bound)) {
        *out = ps_vec_ref(bound->value);
        return PS_OK;
    }
    PS_TRY_OR(done, ps_program_new(&bound, 1, NULL, env, &program, err));
    PS_TRY_OR(done, ps_batch_new(0, 1, &batch, err));
    rc = ps_program_run(program, batch, out, err);
done:
    ps_program_free(program);
    ps_batch_unref(batch);
    return rc;
}
