/*
 * py/callback.c - calls from a running query into Python.
 *
 * A query runs on a Python thread that dropped the GIL, so taking it back here finds that thread's state.  What a
 * call raises is kept in the host, whole, and the engine gets an error that stands for it (ps_error.foreign).
 */
#include "py/py_int.h"

#include "base/logger.h"
#include "io/connector.h"
#include "query/batch_run.h"

/* What the user's code raised, under condition `code`: its text is the traceback, as Spark's is. */
static ps_status keep_failure(psi_host *host, ps_code code, ps_error *err)
{
    PyObject *text, *error;
    const char *utf8;
    ps_status rc;

    psi_keep(&host->kept, err);
    error = host->kept;
    text = error ? PyObject_CallMethod(host->object, "describe", "O", error) : NULL;
    utf8 = text ? PyUnicode_AsUTF8(text) : NULL;
    if (!utf8)
        PyErr_Clear();
    rc = ps_raise(err, code, utf8 ? utf8 : "a Python exception");
    err->foreign = true;
    Py_XDECREF(text);
    return rc;
}

/* Ends a call: `result` is taken. */
static ps_status finish(psi_host *host, PyObject *result, PyGILState_STATE gil, ps_error *err)
{
    ps_status rc = result ? PS_OK : keep_failure(host, PS_E_PYTHON, err);

    Py_XDECREF(result);
    PyGILState_Release(gil);
    return rc;
}

static ps_status host_print(void *self, ps_slice text, ps_error *err)
{
    psi_host *host = self;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *words = PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.n_bytes, "replace");
    PyObject *result = words ? PyObject_CallMethod(host->object, "print", "O", words) : NULL;

    Py_XDECREF(words);
    return finish(host, result, gil, err);
}

static ps_status host_batch(void *self, int64_t batch_id, struct ps_batch_run *run, ps_error *err)
{
    psi_host *host = self;
    ps_node *node = NULL;
    PyObject *plan, *session, *result = NULL;
    PyGILState_STATE gil;
    ps_status rc;

    PS_TRY(ps_batch_run_node(run, &node, err));
    gil = PyGILState_Ensure();
    plan = psi_plan_wrap(host->state, node);
    session = plan ? psi_session_wrap(host->state, ps_session_ref(ps_batch_run_session(run))) : NULL;
    if (session)
        result = PyObject_CallMethod(host->object, "batch", "OOL", session, plan, (long long)batch_id);
    Py_XDECREF(plan);
    Py_XDECREF(session);
    rc = result ? PS_OK : keep_failure(host, PS_E_FOREACH_BATCH, err);
    Py_XDECREF(result);
    PyGILState_Release(gil);
    return rc;
}

static ps_status host_rows_open(void *self, int64_t batch_id, ps_error *err)
{
    psi_host *host = self;
    PyGILState_STATE gil = PyGILState_Ensure();

    return finish(host, PyObject_CallMethod(host->object, "open", "L", (long long)batch_id), gil, err);
}

static ps_status host_rows(void *self, ps_batch *batch, ps_error *err)
{
    psi_host *host = self;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *rows = PyList_New(0), *result = NULL;

    if (!host->names)
        host->names = PyObject_GetAttrString(host->object, "names");
    if (rows && host->names && psi_rows_out(host->state, batch, host->names, rows) == 0)
        result = PyObject_CallMethod(host->object, "rows", "O", rows);
    Py_XDECREF(rows);
    return finish(host, result, gil, err);
}

static ps_status host_rows_close(void *self, bool failed, ps_error *err)
{
    psi_host *host = self;
    PyGILState_STATE gil = PyGILState_Ensure();

    return finish(host, PyObject_CallMethod(host->object, "close", "O", failed ? Py_True : Py_False), gil, err);
}

void psi_host_event(void *self, const char *kind, const char *json)
{
    psi_host *host = self;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *result = PyObject_CallMethod(host->object, "event", "ss", kind, json);

    if (!result) /* a listener's mistake does not end the query */
        PyErr_WriteUnraisable(host->object);
    Py_XDECREF(result);
    PyGILState_Release(gil);
}

int psi_host_new(psi_state *state, PyObject *object, psi_host **out)
{
    psi_host *host = PyMem_Calloc(1, sizeof *host);

    *out = host;
    if (!host) {
        PyErr_NoMemory();
        return -1;
    }
    host->callback = (ps_callback){host, host_print, host_batch, host_rows_open, host_rows, host_rows_close};
    host->state = state;
    host->object = Py_NewRef(object);
    return 0;
}

void psi_host_free(psi_host *host)
{
    if (!host)
        return;
    Py_XDECREF(host->object);
    Py_XDECREF(host->names);
    Py_XDECREF(host->kept);
    PyMem_Free(host);
}

/* --- what is no query's ------------------------------------------------------------------------------------ */

/* The reason of the pending exception, as a text in err; the exception is cleared. */
static ps_status connector_failed(const char *name, ps_error *err)
{
    PyObject *error = psi_fetch(), *text = error ? PyObject_Str(error) : NULL;
    const char *reason = text ? PyUnicode_AsUTF8(text) : NULL;
    ps_status rc = ps_raise(err, PS_E_CONNECTOR_MISSING, name, reason ? reason : "its import failed");

    PyErr_Clear();
    Py_XDECREF(text);
    Py_XDECREF(error);
    return rc;
}

/* A connector's module is pystream.<its name, with an underscore>. */
static ps_status load_connector(const char *name, ps_error *err)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *module = PyImport_ImportModule("pystream._native");
    PyObject *result = module ? PyObject_CallMethod(module, "load_connector", "s", name) : NULL;
    ps_status rc = result ? PS_OK : connector_failed(name, err);

    Py_XDECREF(result);
    Py_XDECREF(module);
    PyGILState_Release(gil);
    return rc;
}

static void log_line(ps_log_level level, const char *name, const char *text)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *module = PyImport_ImportModule("pystream._native");
    PyObject *result = module ? PyObject_CallMethod(module, "log", "iss", (int)level, name, text) : NULL;

    if (!result)
        PyErr_Clear(); /* a line of the log is no reason to end a query */
    Py_XDECREF(result);
    Py_XDECREF(module);
    PyGILState_Release(gil);
}

void psi_callbacks_init(void)
{
    ps_connector_set_loader(load_connector);
    ps_logger_set(log_line);
}
