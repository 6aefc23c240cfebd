/*
 * op/parallel.c - the chain below an aggregation on several workers.
 *
 * A chain is a scan with several slices under operators that look at one row at a time, joins with a kept side
 * included.  Each worker has copies of the chain's operators and a partial table of its own; the workers take slices
 * from one counter, and meet only when the aggregation merges the tables.  Copies are made once and kept with the
 * operator.  Small batches (one slice) stay on the query's thread: waking a worker costs more than they do.
 */
#include "base/thread.h"
#include "op/aggregate.h"
#include "op/join_int.h"

#define MAX_CHAIN 64

typedef struct worker {
    ps_op *root;       /* copies of the chain, the operator nearest the aggregation first */
    ps_op tail;        /* where the root's output goes */
    ps_aggregate_partial *partial;
    ps_op *chain[MAX_CHAIN];
} worker;

struct psi_workers {
    worker *items;
    int n;
    int n_chain;       /* operators of the chain, the scan included */
    /* Of the micro-batch under way. */
    ps_scan *scan;
    _Atomic int64_t next_slice;
};

/* The next operator down the chain; NULL when there is none. */
static ps_op *step_down(const ps_op *op)
{
    if (op->node->row->flags & PS_OP_CHAIN)
        return op->inputs[0];
    if (strcmp(op->node->row->kind, "join") == 0 && psi_join_build_port(op) >= 0)
        return op->inputs[1 - psi_join_build_port(op)];
    return NULL;
}

/* Fills chain with the operators from `top` down to its scan; 0 when this is no such chain. */
static int find_chain(ps_op *top, ps_op **chain)
{
    int n = 0;

    for (ps_op *op = top; op && n < MAX_CHAIN; op = step_down(op)) {
        chain[n++] = op;
        if (strcmp(op->node->row->kind, "source") == 0)
            return n;
    }
    return 0;
}

bool psi_can_drive_parallel(const ps_op *op)
{
    ps_op *chain[MAX_CHAIN];
    ps_scan *scan;
    int n;

    if (op->run->n_workers < 2 || op->run->poll || strcmp(op->node->row->kind, "aggregate") != 0)
        return false;
    n = find_chain(op->inputs[0], chain);
    if (n == 0)
        return false;
    scan = psi_scan_op_scan(chain[n - 1]);
    return scan && scan->n_slices > 1 && ps_aggregate_allows_partials(op);
}

static ps_status push_partial(ps_op *tail, int port, ps_batch *batch, ps_error *err)
{
    worker *self = (worker *)((char *)tail - offsetof(worker, tail));

    PS_UNUSED(port);
    return ps_aggregate_partial_push(self->partial, batch, err);
}

static ps_status open_worker(ps_op *op, worker *self, int at, ps_error *err)
{
    static const ps_op_vt tail_vt = {.push = push_partial};

    PS_TRY(ps_op_open(op->inputs[0]->node, op->run, &self->root, err));
    self->tail.vt = &tail_vt;
    self->tail.run = op->run;
    self->tail.state_id = -1;
    self->root->next = &self->tail;
    find_chain(self->root, self->chain);
    return ps_aggregate_partial_get(op, at, &self->partial, err);
}

void psi_workers_free(struct psi_workers *workers)
{
    if (!workers)
        return;
    for (int i = 0; i < workers->n; i++)
        ps_op_close(workers->items[i].root);
    ps_free(workers->items);
    ps_free(workers);
}

static ps_status make_workers(ps_op *op, ps_error *err)
{
    ps_op *chain[MAX_CHAIN];
    struct psi_workers *workers = NULL;

    PS_TRY(ps_alloc0(sizeof *workers, &workers, err));
    op->workers = workers;
    workers->n_chain = find_chain(op->inputs[0], chain);
    PS_TRY(ps_alloc0((size_t)op->run->n_workers * sizeof *workers->items, &workers->items, err));
    for (int i = 0; i < op->run->n_workers; i++) {
        workers->n = i + 1;
        PS_TRY(open_worker(op, &workers->items[i], i, err));
    }
    return PS_OK;
}

/* Kept sides are read once, from the lowest join up, into the original operators. */
static ps_status build_joins(ps_op **chain, int n, ps_error *err)
{
    for (int i = n - 1; i >= 0; i--) {
        int port;

        if (strcmp(chain[i]->node->row->kind, "join") != 0)
            continue;
        port = psi_join_build_port(chain[i]);
        if (chain[i]->skip_port == port)
            continue;
        PS_TRY(ps_op_drive(chain[i]->inputs[port], err));
        PS_TRY(chain[i]->vt->finish(chain[i], port, err));
    }
    return PS_OK;
}

static ps_status run_slices(struct psi_workers *workers, worker *self, ps_error *err)
{
    ps_op *leaf = self->chain[workers->n_chain - 1];
    ps_cursor *cursor = NULL;
    ps_status rc = PS_OK;

    PS_TRY(workers->scan->vt->cursor(workers->scan, &cursor, err));
    for (;;) {
        int64_t slice = atomic_fetch_add(&workers->next_slice, 1);

        if (slice >= workers->scan->n_slices)
            break;
        if ((rc = psi_scan_op_slice(leaf, cursor, slice, err)) != PS_OK) {
            atomic_store(&workers->next_slice, workers->scan->n_slices); /* the others need not go on */
            break;
        }
    }
    cursor->vt->free(cursor);
    return rc;
}

static ps_status run_worker(void *arg, int at, ps_error *err)
{
    struct psi_workers *workers = arg;
    return run_slices(workers, &workers->items[at], err);
}

ps_status psi_drive_parallel(ps_op *op, ps_error *err)
{
    ps_op *chain[MAX_CHAIN];
    struct psi_workers *workers;
    int n = find_chain(op->inputs[0], chain), n_tasks;

    if (!op->workers)
        PS_TRY(make_workers(op, err));
    workers = op->workers;
    PS_TRY(build_joins(chain, n, err));
    for (int w = 0; w < workers->n; w++) {
        /* The partial of a worker is the operator's for this micro-batch only. */
        PS_TRY(ps_aggregate_partial_get(op, w, &workers->items[w].partial, err));
        for (int i = 0; i < n; i++) {
            ps_op *copy = workers->items[w].chain[i];

            if (copy->vt->share)
                PS_TRY(copy->vt->share(copy, chain[i], err));
            else if (copy->vt->begin)
                PS_TRY(copy->vt->begin(copy, err));
        }
    }
    workers->scan = psi_scan_op_scan(chain[n - 1]);
    atomic_store(&workers->next_slice, 0);
    n_tasks = workers->scan->n_slices < workers->n ? (int)workers->scan->n_slices : workers->n;
    PS_TRY(ps_pool_run(n_tasks, n_tasks, run_worker, workers, err));
    for (int w = 0; w < n_tasks; w++)
        for (int i = 0; i < n; i++)
            if (chain[i]->vt->gather)
                chain[i]->vt->gather(chain[i], workers->items[w].chain[i]);
    ps_scan_op_set(chain[n - 1], NULL);
    return PS_OK;
}
