/*
 * py/py_int.h - what the files of the binding share.
 *
 * The binding exposes registries, not features: call(name, args), node(kind, inputs, args).  A function here parses,
 * drops the GIL, makes one engine call and translates.  Handles are heap types that own one engine reference.  Engine
 * functions report through ps_error; functions of the binding return NULL or -1 with a Python exception set.
 */
#ifndef PS_PY_PY_INT_H
#define PS_PY_PY_INT_H
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "query/query.h"

#define PSI_SLICE_MS 50 /* how long a wait may keep Ctrl-C waiting */

/* --- module state -------------------------------------------------------------------------------------- */
typedef struct psi_state {
    PyTypeObject *expr_type, *plan_type, *session_type, *query_type, *feed_type;
    PyObject *row_type; /* Row, given by register() */
    PyObject *misfit;   /* a function that raises what is wrong with a value, given by register() */
    PyObject *decimal;  /* decimal.Decimal, on first use */
    PyObject *fields;   /* "__fields__" */
    unsigned epoch;     /* forks so far: a handle of an earlier epoch is dead */
} psi_state;

typedef struct psi_expr { PyObject_HEAD ps_expr *expr; } psi_expr;
typedef struct psi_plan { PyObject_HEAD ps_node *node; } psi_plan;
typedef struct psi_session { PyObject_HEAD ps_session *session; unsigned epoch; } psi_session;
typedef struct psi_feed { PyObject_HEAD ps_memory_feed *feed; const ps_type *type; unsigned epoch; } psi_feed;

extern struct PyModuleDef psi_module;
extern PyType_Spec psi_expr_spec, psi_plan_spec, psi_session_spec, psi_query_spec, psi_feed_spec;
extern PyMethodDef psi_expr_functions[], psi_query_functions[], psi_arrow_functions[];

static inline psi_state *psi_state_of(PyObject *module) { return PyModule_GetState(module); }
static inline psi_state *psi_self_state(PyObject *self) { return PyType_GetModuleState(Py_TYPE(self)); }
/* False, with an exception set, when the handle was inherited through fork(). */
bool psi_alive(const psi_state *state, unsigned epoch);

/* --- errors (raise.c) ------------------------------------------------------------------------------------- */
/* Sets the Python exception of an engine error and returns NULL. */
PyObject *psi_raise(const ps_error *err);
/* As psi_raise(); `*kept` is the exception that a callback left behind (err->foreign), taken. */
PyObject *psi_raise_kept(const ps_error *err, PyObject **kept);
/* Takes the pending Python exception into *kept and makes *err stand for it. */
ps_status psi_keep(PyObject **kept, ps_error *err);
PyObject *psi_fetch(void); /* the pending exception, with its traceback; a new reference */
PyObject *psi_error_tuple(const ps_error *err); /* (message, condition, sqlstate, class) */
PyObject *psi_error_rows(PyObject *module, PyObject *unused);

/* What an action needs to end on Ctrl-C: the pending exception. */
typedef struct psi_poll {
    ps_action action;
    PyObject *kept;
    int64_t last_ns;
} psi_poll;
void psi_poll_init(psi_poll *poll);

/* Tells the engine how the modules of connectors are loaded, and where lines of the log go (callback.c). */
void psi_callbacks_init(void);

/* --- arguments ------------------------------------------------------------------------------------------------ */
/* A type or schema given as JSON text or DDL text; a new reference in *out. */
int psi_type_arg(PyObject *text, bool schema, const ps_type **out);
/* A dict or an iterable of pairs, text to text (None leaves the key out). */
int psi_options_arg(PyObject *mapping, ps_options *out);
/* A list or tuple of text; *out is freed with PyMem_Free and borrows from the items. */
int psi_texts_arg(PyObject *sequence, const char ***out, int *n);
int psi_exprs_arg(psi_state *state, PyObject *sequence, ps_expr ***out, int *n); /* likewise */
PyObject *psi_text(const ps_bytes *bytes);     /* str of the bytes; invalid UTF-8 is replaced */
PyObject *psi_text_clear(ps_bytes *bytes);     /* the same, and ends them */
PyObject *psi_expr_wrap(psi_state *state, ps_expr *expr); /* takes the reference, also when it fails */
PyObject *psi_plan_wrap(psi_state *state, ps_node *node); /* likewise */
PyObject *psi_session_wrap(psi_state *state, ps_session *session); /* likewise */

/* --- values (convert_in.c, convert_out.c) ------------------------------------------------------------------------ */
/* Rows (tuples, lists, dicts, objects) as batches of a STRUCT; with `verify` each value must have the field's very type. */
int psi_rows_in(psi_state *state, PyObject *rows, const ps_type *schema, bool verify, ps_batches *out);
/* One value as a CONST vector of one row: of `type`, or of the type that F.lit() gives it when that is NULL. */
int psi_value_in(psi_state *state, PyObject *value, const ps_type *type, ps_vec **out);
/* The live rows of a batch, as Row objects appended to `list`; `names` is the list of field names. */
int psi_rows_out(psi_state *state, const ps_batch *batch, PyObject *names, PyObject *list);
PyObject *psi_names_of(const ps_type *schema); /* a list */
/* Batches of a STRUCT as a bounded relation (session.c). */
ps_status psi_local_node(ps_session *session, const ps_type *schema, ps_batches *batches, ps_node **out, ps_error *err);

/* --- calls into Python (callback.c) -------------------------------------------------------------------------------- */
/* What the engine may call while a query runs.  Owned by the query's handle, borrowed by the engine. */
typedef struct psi_host {
    ps_callback callback;
    psi_state *state;
    PyObject *object; /* has print, batch, open, rows, close and event */
    PyObject *names;  /* of the result's columns, made with the first rows */
    PyObject *kept;   /* the exception that ended the query */
} psi_host;
int psi_host_new(psi_state *state, PyObject *object, psi_host **out);
void psi_host_free(psi_host *host); /* accepts NULL */
void psi_host_event(void *self, const char *kind, const char *json);
/* catalog.c: spark.sql(text) as a node; names and values as for ps_sql_node(). */
ps_status psi_session_sql(ps_session *session, const char *text, const char *const *names, ps_expr *const *values, int n, ps_node **out, ps_error *err);
#endif
