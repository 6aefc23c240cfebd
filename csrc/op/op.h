/*
 * op/op.h - operators: the nodes of a plan, and how they run.
 *
 * A plan node (ps_node) is read-only and shared: what to do, and the attributes that come out.  A run makes an
 * operator (ps_op) of each node: programs, tables, state.  The two meet in a row of ops.def.
 *
 * Making a node: ps_node_make("filter", inputs, args): the row's bind() checks the arguments against the inputs'
 * attributes, so a user's mistake is an error at the call, as in Spark.
 * Running: batches are pushed from the leaves to the root.  ps_op_drive() runs a tree for one micro-batch: it drives
 * each input in the order of `order` and tells the operator when an input has ended; leaves produce.  A
 * streaming query opens its operators once and then, for every micro-batch: begin, drive, commit.
 * Operators belong to their run's thread; parallel.h runs stateless chains on several.
 */
#ifndef PS_OP_OP_H
#define PS_OP_OP_H
#include "base/fs.h"
#include "expr/bind.h"
#include "expr/eval.h"
#include "io/sink.h"
#include "io/source.h"

typedef struct ps_node ps_node;
typedef struct ps_op ps_op;
typedef struct ps_run ps_run;

/* --- arguments of a node, by name --------------------------------------------------------------------- */
typedef enum ps_arg_kind { PS_A_EXPRS, PS_A_TEXTS, PS_A_INT, PS_A_TYPE, PS_A_SOURCE, PS_A_BATCHES, PS_A_TABLE } ps_arg_kind;
typedef struct ps_arg {
    const char *name;
    ps_arg_kind kind;
    ps_expr *const *exprs; /* EXPRS */
    const char *const *texts; /* TEXTS */
    int n;                 /* of exprs or texts */
    int64_t number;        /* INT, and flags */
    const ps_type *type;   /* TYPE */
    ps_source_info *source; /* SOURCE */
    const ps_batches *batches; /* BATCHES: rows of a local relation */
    ps_memory_table *table; /* TABLE: a memory sink's rows, read afresh by each run */
} ps_arg;
typedef struct ps_args {
    const ps_arg *items;
    int n;
    const ps_conf *conf;
} ps_args;
const ps_arg *ps_args_find(const ps_args *args, const char *name);                 /* NULL when absent */
int64_t ps_args_int(const ps_args *args, const char *name, int64_t fallback);
const char *ps_args_text(const ps_args *args, const char *name, const char *fallback); /* the first text */

/* --- nodes ------------------------------------------------------------------------------------------------ */
/* A set of attribute ids, and of a struct which fields are asked for: bit k stands for field k. Zeroed by {0}. */
#define PS_ALL_FIELDS (~(uint64_t)0) /* the whole value */
typedef struct ps_ids { int64_t *items; uint64_t *fields; int n, capacity, fields_capacity; } ps_ids;
bool ps_ids_has(const ps_ids *ids, int64_t id);
uint64_t ps_ids_fields(const ps_ids *ids, int64_t id); /* 0 when it is not there */
ps_status ps_ids_add(ps_ids *ids, int64_t id, ps_error *err); /* the whole value */
ps_status ps_ids_add_fields(ps_ids *ids, int64_t id, uint64_t fields, ps_error *err);
ps_status ps_ids_add_bound(ps_ids *ids, const ps_bound *bound, ps_error *err); /* its columns: e.a asks for a field of e */
void ps_ids_clear(ps_ids *ids);

typedef struct ps_op_row {
    const char *kind;      /* "filter" */
    int min_inputs, max_inputs; /* max -1: any */
    /* Fills node->spec and node->out; inputs are in place.  May replace *node by another tree (a select with a window()
     * becomes two nodes), then it owns the exchange. */
    ps_status (*bind)(const ps_args *args, ps_node **node, ps_error *err);
    void (*free_spec)(void *spec);
    /* Which attributes of input i are needed when the node's parents need `wanted`. */
    ps_status (*needs)(const ps_node *node, const ps_ids *wanted, int input, ps_ids *out, ps_error *err);
    /* The same node over other inputs, with only the wanted outputs where it can drop the rest. */
    ps_status (*remake)(const ps_node *node, ps_node *const *inputs, const ps_ids *wanted, ps_node **out, ps_error *err);
    ps_status (*open)(const ps_node *node, ps_run *run, ps_op **out, ps_error *err);
    /* One line of explain(): "Filter (a#1 > 2)". */
    ps_status (*describe)(const ps_node *node, ps_bytes *out, ps_error *err);
    unsigned flags;        /* ps_op_flags */
    const char *state_name; /* progress operatorName: "stateStoreSave"; NULL: stateless */
} ps_op_row;
typedef enum ps_op_flags {
    PS_OP_CHAIN = 1,       /* stateless, one input, row by row: may run on several workers */
    PS_OP_BREAKER = 2,     /* holds its output back until an input ends */
    PS_OP_LEAF = 4
} ps_op_flags;

struct ps_node {
    ps_refs refs;
    int64_t id;            /* df's plan id */
    const ps_op_row *row;
    ps_node **inputs;      /* owned references */
    int n_inputs;
    ps_attrs out;          /* output attributes; hidden ones last */
    void *spec;            /* the row's own, read-only after bind */
    bool streaming;        /* reads a stream somewhere below */
};
const ps_op_row *ps_op_find(const char *kind); /* NULL */
ps_node *ps_node_ref(ps_node *node);
void ps_node_unref(ps_node *node); /* accepts NULL */
/* An empty node of a kind over inputs (references are taken), for bind() and remake(). */
ps_status ps_node_new(const ps_op_row *row, ps_node *const *inputs, int n_inputs, ps_node **out, ps_error *err);
/* The front door: finds the row, checks the number of inputs, binds. */
ps_status ps_node_make(const char *kind, ps_node *const *inputs, int n_inputs, const ps_args *args, ps_node **out, ps_error *err);
/* The scope over a node's inputs, for bind(). `inputs` is room for n_inputs pointers. */
void ps_node_scope(const ps_node *node, const ps_conf *conf, const ps_attrs **inputs, ps_scope *scope);
ps_status ps_node_schema(const ps_node *node, const ps_type **out, ps_error *err); /* visible output as a STRUCT */

/* --- runs and operators --------------------------------------------------------------------------------- */
/* What all operators of one execution share.  Owned by query/; read-only for operators but for `env`. */
struct ps_run {
    ps_eval_env env;
    const ps_conf *conf;
    ps_fs *fs;
    ps_clock *clock;
    int n_workers;
    bool streaming;
    ps_mode mode;
    int64_t batch_id;
    bool sync;               /* durable state */
    const char *state_dir;   /* <checkpoint>/state, or NULL: keep state in memory only */
    atomic_bool *cancel;     /* set from any thread: leaves raise PS_E_CANCELLED between batches; may be NULL */
    /* Called by leaves between batches on the run's thread (Ctrl-C); may be NULL. */
    ps_status (*poll)(void *self, ps_error *err);
    void *poll_self;
    size_t memory_limit;     /* pystream.state.memoryLimit in bytes; 0: none */
};
ps_status ps_run_check(ps_run *run, ps_error *err); /* cancel and poll */
ps_status ps_run_checked(void *run, ps_error *err);  /* the same, as sources and sinks take it */

/* Counters of a stateful operator, for progress. */
typedef struct ps_state_metrics {
    int64_t n_rows_total, n_rows_updated, n_rows_removed, n_rows_dropped;
    int64_t update_ns, removal_ns, commit_ns;
    int64_t memory_bytes, n_instances;
} ps_state_metrics;

/* Event-time statistics of a watermark operator in the batch just run. */
typedef struct ps_event_stats { int64_t n_rows, min_ms, max_ms; double mean_ms; int64_t delay_ms; } ps_event_stats;

typedef struct ps_op_vt {
    /* A micro-batch begins. May be NULL. */
    ps_status (*begin)(ps_op *op, ps_error *err);
    ps_status (*push)(ps_op *op, int port, ps_batch *batch, ps_error *err);
    /* Input `port` has ended for this micro-batch. NULL: nothing to do. */
    ps_status (*finish)(ps_op *op, int port, ps_error *err);
    /* Leaves: emit everything. NULL for others. */
    ps_status (*produce)(ps_op *op, ps_error *err);
    /* Stateful: open state at `version` (0: empty); write version `version` after a batch. NULL for stateless. */
    ps_status (*restore)(ps_op *op, int64_t version, ps_error *err);
    ps_status (*commit)(ps_op *op, int64_t version, ps_error *err);
    void (*metrics)(ps_op *op, ps_state_metrics *out);       /* stateful */
    bool (*event_stats)(ps_op *op, ps_event_stats *out);     /* watermark operator */
    /* Would a batch without data change anything if the eviction watermark rose to evict_ms? NULL: never. */
    bool (*wants_no_data)(ps_op *op, int64_t evict_ms);
    /* A worker's copy of an operator (parallel.c): before a micro-batch it takes what both may read, and after it the
     * original takes the copy's counts. NULL: nothing to take. */
    ps_status (*share)(ps_op *copy, ps_op *original, ps_error *err);
    void (*gather)(ps_op *original, ps_op *copy);
    void (*close)(ps_op *op);                                /* frees op; accepts a half-made one */
} ps_op_vt;

struct ps_op {
    const ps_op_vt *vt;
    const ps_node *node;   /* borrowed from the plan */
    ps_run *run;
    ps_op **inputs;        /* owned */
    int n_inputs;
    ps_op *next;           /* where output goes; borrowed */
    int next_port;
    int order[2];          /* in which order two inputs are driven; {0,1} unless open() says otherwise */
    int skip_port;         /* an input that is not driven in this micro-batch: its rows are held already; -1: none */
    bool done;             /* wants no more input (limit) */
    int64_t n_rows_out;    /* of this micro-batch */
    /* Set by the query before begin(): this operator's watermarks in ms (execution.md 5.3), and its id. */
    int64_t late_ms, evict_ms;
    int state_id;          /* -1: stateless */
    struct psi_workers *workers; /* copies of the chain below, made when first used (parallel.c); owned */
};

/* Opens operators for the whole tree (inputs first). The root's `next` is the caller's to set. */
ps_status ps_op_open(const ps_node *node, ps_run *run, ps_op **out, ps_error *err);
void ps_op_close(ps_op *op); /* with its inputs; accepts NULL */
ps_status ps_op_begin(ps_op *op, ps_error *err);  /* the whole tree */
ps_status ps_op_drive(ps_op *op, ps_error *err);
/* Hands a batch on (does nothing with an empty one); counts rows. */
ps_status ps_op_emit(ps_op *op, ps_batch *batch, ps_error *err);
bool ps_op_is_done(const ps_op *op); /* does nobody downstream want more */
/* Visits the tree in pre-order. */
ps_status ps_op_walk(ps_op *op, ps_status (*visit)(void *self, ps_op *op, ps_error *err), void *self, ps_error *err);

/* The end of a tree: an operator that gives what it gets to `write`. Stack or heap, owned by the caller. */
typedef struct ps_collector {
    ps_op op;
    ps_status (*write)(void *self, ps_batch *batch, ps_error *err);
    void *self;
} ps_collector;
void ps_collector_init(ps_collector *collector, ps_run *run, ps_status (*write)(void *, ps_batch *, ps_error *), void *self);

/* The leaf that reads a source (op/scan.c).  A streaming query gives it the range of each micro-batch. */
ps_source_info *ps_scan_node_source(const ps_node *node);  /* NULL when node is no streaming scan */
const bool *ps_scan_node_wanted(const ps_node *node);
void ps_scan_op_set(ps_op *op, ps_scan *scan);             /* takes scan; NULL: no rows in this batch */
int64_t ps_scan_op_rows(const ps_op *op);                  /* rows produced in this micro-batch */
#endif
