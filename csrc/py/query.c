/*
 * py/query.c - the handles of a streaming query and of a memory source's feed.
 *
 * The handle owns the host, which refers to the user's callbacks; run() lets go of them when the query has ended, so
 * that a callback which refers to its query is no cycle for ever.
 */
#include "py/py_int.h"

#include "col/type_text.h"

typedef struct psi_query {
    PyObject_HEAD
    ps_query *query;
    psi_host *host;
    unsigned epoch;
    bool running;
} psi_query;

static void query_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    psi_query *handle = (psi_query *)self;

    if (handle->query && handle->epoch == psi_self_state(self)->epoch) {
        ps_query *query = handle->query;

        Py_BEGIN_ALLOW_THREADS
        ps_query_unref(query);
        Py_END_ALLOW_THREADS
    }
    psi_host_free(handle->host);
    type->tp_free(self);
    Py_DECREF(type);
}

static ps_query *alive(PyObject *self)
{
    psi_query *handle = (psi_query *)self;

    return psi_alive(psi_self_state(self), handle->epoch) ? handle->query : NULL;
}

/* --- starting ------------------------------------------------------------------------------------------------ */
static int trigger_arg(const char *kind, PyObject *interval, ps_trigger *out)
{
    static const char *const kinds[] = {"interval", "once", "available_now", "continuous", "manual"};
    ps_error err = {0};
    int i = 0;

    while (i < (int)PS_COUNT_OF(kinds) && strcmp(kinds[i], kind) != 0)
        i++;
    if (i == (int)PS_COUNT_OF(kinds)) {
        PyErr_Format(PyExc_ValueError, "no trigger is called %s", kind);
        return -1;
    }
    *out = (ps_trigger){(ps_trigger_kind)i, 0};
    if (interval != Py_None) {
        const char *text = PyUnicode_AsUTF8(interval);

        if (!text)
            return -1;
        if (ps_trigger_parse_interval(text, &out->interval_ms, &err) != PS_OK) {
            psi_raise(&err);
            return -1;
        }
    }
    return 0;
}

/* start(session, plan, format, name, mode, options, partition_by, trigger, interval, host) */
static PyObject *query_start(PyObject *module, PyObject *args)
{
    psi_state *state = psi_state_of(module);
    PyObject *session, *plan, *mapping, *list, *interval, *object;
    const char *trigger, **columns = NULL;
    ps_query_request request = {0};
    psi_query *self = NULL;
    ps_options options = {0};
    ps_error err = {0};
    ps_status rc;

    if (!PyArg_ParseTuple(args, "O!O!szsOOsOO:start", state->session_type, &session, state->plan_type, &plan, &request.format,
                          &request.name, &request.mode, &mapping, &list, &trigger, &interval, &object) ||
        !psi_alive(state, ((psi_session *)session)->epoch) || trigger_arg(trigger, interval, &request.trigger) < 0)
        return NULL;
    if (psi_options_arg(mapping, &options) < 0 || psi_texts_arg(list, &columns, &request.n_partition_by) < 0)
        goto done;
    self = (psi_query *)state->query_type->tp_alloc(state->query_type, 0);
    if (!self)
        goto done;
    self->epoch = state->epoch;
    if (psi_host_new(state, object, &self->host) < 0) {
        Py_CLEAR(self);
        goto done;
    }
    request.node = ((psi_plan *)plan)->node;
    request.options = &options;
    request.partition_by = columns;
    request.callback = &self->host->callback;
    request.event = psi_host_event;
    request.event_self = self->host;
    Py_BEGIN_ALLOW_THREADS
    rc = ps_query_start(((psi_session *)session)->session, &request, &self->query, &err);
    Py_END_ALLOW_THREADS
    if (rc != PS_OK) {
        psi_raise(&err);
        Py_CLEAR(self);
    }
done:
    PyMem_Free(columns);
    ps_options_clear(&options);
    return (PyObject *)self;
}

static PyObject *query_run(PyObject *self, PyObject *unused)
{
    psi_query *handle = (psi_query *)self;
    ps_query *query = alive(self);

    PS_UNUSED(unused);
    if (!query)
        return NULL;
    if (handle->running) {
        PyErr_SetString(PyExc_RuntimeError, "this query has its thread already");
        return NULL;
    }
    handle->running = true;
    Py_BEGIN_ALLOW_THREADS
    ps_query_run(query);
    Py_END_ALLOW_THREADS
    Py_SETREF(handle->host->object, Py_NewRef(Py_None)); /* nothing is called any more */
    Py_RETURN_NONE;
}

/* --- waiting -------------------------------------------------------------------------------------------------- */
/* wait(ms): True when the query has ended; negative: for ever. */
static PyObject *query_wait(PyObject *self, PyObject *args)
{
    ps_query *query = alive(self);
    long long ms = -1;
    bool ended;

    if (!query || !PyArg_ParseTuple(args, "|L:wait", &ms))
        return NULL;
    for (;;) {
        long long slice = ms >= 0 && ms < PSI_SLICE_MS ? ms : PSI_SLICE_MS;

        Py_BEGIN_ALLOW_THREADS
        ended = ps_query_wait(query, slice);
        Py_END_ALLOW_THREADS
        if (PyErr_CheckSignals() < 0)
            return NULL;
        if (ended)
            Py_RETURN_TRUE;
        if (ms >= 0 && (ms -= slice) <= 0)
            Py_RETURN_FALSE;
    }
}

/* True, or False when the query failed (failure() tells why). */
static PyObject *query_process_all(PyObject *self, PyObject *unused)
{
    ps_query *query = alive(self);
    ps_error err = {0}, reason;
    bool done = false;
    ps_status rc;

    PS_UNUSED(unused);
    if (!query)
        return NULL;
    do {
        Py_BEGIN_ALLOW_THREADS
        rc = ps_query_process_all(query, PSI_SLICE_MS, &done, &err);
        Py_END_ALLOW_THREADS
        if (PyErr_CheckSignals() < 0)
            return NULL;
    } while (rc == PS_OK && !done);
    if (rc == PS_OK)
        Py_RETURN_TRUE;
    if (ps_query_error(query, &reason))
        Py_RETURN_FALSE;
    return psi_raise(&err);
}

static PyObject *query_stop(PyObject *self, PyObject *unused)
{
    ps_query *query = alive(self);

    PS_UNUSED(unused);
    if (!query)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    ps_query_stop(query);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *query_step(PyObject *self, PyObject *unused)
{
    ps_query *query = alive(self);
    ps_error err = {0};
    bool ran = false;
    ps_status rc;

    PS_UNUSED(unused);
    if (!query)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    rc = ps_query_step(query, &ran, &err);
    Py_END_ALLOW_THREADS
    return rc == PS_OK ? PyBool_FromLong(ran) : psi_raise(&err);
}

/* --- reports ---------------------------------------------------------------------------------------------------- */
/* None, or (message, condition, sqlstate, class, the block about the query, the Python exception or None). */
static PyObject *query_failure(PyObject *self, PyObject *unused)
{
    psi_query *handle = (psi_query *)self;
    ps_query *query = alive(self);
    ps_error reason = {0}, err = {0};
    ps_bytes block = {0};
    PyObject *parts, *kept, *result = NULL;
    bool failed;
    ps_status rc = PS_OK;

    PS_UNUSED(unused);
    if (!query)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    failed = ps_query_error(query, &reason);
    if (failed)
        rc = ps_query_describe_failure(query, &block, &err);
    Py_END_ALLOW_THREADS
    if (!failed)
        Py_RETURN_NONE;
    if (rc != PS_OK) {
        ps_bytes_clear(&block);
        return psi_raise(&err);
    }
    kept = reason.foreign && handle->host->kept ? handle->host->kept : Py_None;
    parts = psi_error_tuple(&reason);
    if (parts) {
        PyObject *more = Py_BuildValue("(NO)", psi_text(&block), kept);

        result = more ? PySequence_Concat(parts, more) : NULL;
        Py_XDECREF(more);
        Py_DECREF(parts);
    }
    ps_bytes_clear(&block);
    return result;
}

/* A report is a text that the engine writes; `more` asks for the longer form of it. */
typedef ps_status report_fn(ps_query *query, bool more, ps_bytes *out, ps_error *err);

/* args: (more=False), or NULL for a report of one form. */
static PyObject *report(PyObject *self, PyObject *args, report_fn *write)
{
    ps_query *query = alive(self);
    ps_error err = {0};
    ps_bytes text = {0};
    int more = 0;
    ps_status rc;

    if (!query || (args && !PyArg_ParseTuple(args, "|p", &more)))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    rc = write(query, more, &text, &err);
    Py_END_ALLOW_THREADS
    if (rc != PS_OK) {
        ps_bytes_clear(&text);
        return psi_raise(&err);
    }
    return psi_text_clear(&text);
}

static ps_status write_status(ps_query *query, bool more, ps_bytes *out, ps_error *err)
{
    PS_UNUSED(more);
    return ps_query_status_json(query, out, err);
}

static ps_status write_held(ps_query *query, bool more, ps_bytes *out, ps_error *err)
{
    PS_UNUSED(more);
    return ps_query_explain_progress(query, out, err);
}

static PyObject *query_status(PyObject *self, PyObject *unused)
{
    PS_UNUSED(unused);
    return report(self, NULL, write_status);
}

static PyObject *query_explain_progress(PyObject *self, PyObject *unused)
{
    PS_UNUSED(unused);
    return report(self, NULL, write_held);
}

static PyObject *query_progress(PyObject *self, PyObject *args) { return report(self, args, ps_query_progress_json); }
static PyObject *query_explain(PyObject *self, PyObject *args) { return report(self, args, ps_query_explain); }

static PyObject *query_get_text(PyObject *self, void *which)
{
    ps_query *query = alive(self);
    const char *text = NULL;

    if (!query)
        return NULL;
    switch (*(const char *)which) {
    case 'i': text = ps_query_id(query); break;
    case 'r': text = ps_query_run_id(query); break;
    default: text = ps_query_name(query); break;
    }
    return text ? PyUnicode_FromString(text) : Py_NewRef(Py_None);
}

static PyObject *query_get_flag(PyObject *self, void *which)
{
    ps_query *query = alive(self);
    bool flag;

    if (!query)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    flag = *(const char *)which == 'a' ? ps_query_is_active(query) : ps_query_is_own_thread(query);
    Py_END_ALLOW_THREADS
    return PyBool_FromLong(flag);
}

static PyMethodDef query_methods[] = {
    {"run", query_run, METH_NOARGS, "Runs until the query ends: the body of its thread"},
    {"wait", query_wait, METH_VARARGS, "wait(ms=-1): has it ended"},
    {"process_all", query_process_all, METH_NOARGS, "Waits until no data is left; False when the query failed"},
    {"stop", query_stop, METH_NOARGS, "Asks the query to stop"},
    {"step", query_step, METH_NOARGS, "Runs one trigger of a query with a manual trigger"},
    {"failure", query_failure, METH_NOARGS, "None, or (message, condition, sqlstate, class, block, exception)"},
    {"status", query_status, METH_NOARGS, "JSON"},
    {"progress", query_progress, METH_VARARGS, "progress(all=False): a JSON array"},
    {"explain", query_explain, METH_VARARGS, "explain(extended=False)"},
    {"explain_progress", query_explain_progress, METH_NOARGS, "What is held back, and by what"},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef query_members[] = {
    {"id", query_get_text, NULL, "Survives restarts", "i"},
    {"run_id", query_get_text, NULL, "New for every start", "r"},
    {"name", query_get_text, NULL, "Or None", "n"},
    {"is_active", query_get_flag, NULL, "Has not ended", "a"},
    {"is_own_thread", query_get_flag, NULL, "Called on the query's thread", "o"},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot query_slots[] = {
    {Py_tp_dealloc, query_dealloc},
    {Py_tp_methods, query_methods},
    {Py_tp_getset, query_members},
    {0, NULL},
};
PyType_Spec psi_query_spec = {"pystream._engine.Query", sizeof(psi_query), 0,
                              Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, query_slots};
/* check_interval(text): raises when trigger(processingTime=text) cannot be. */
static PyObject *check_interval(PyObject *module, PyObject *arg)
{
    const char *text = PyUnicode_AsUTF8(arg);
    ps_error err = {0};
    int64_t ms;

    PS_UNUSED(module);
    if (!text)
        return NULL;
    return ps_trigger_parse_interval(text, &ms, &err) == PS_OK ? PyLong_FromLongLong(ms) : psi_raise(&err);
}

PyMethodDef psi_query_functions[] = {
    {"check_interval", check_interval, METH_O, "The milliseconds of a trigger's text"},
    {"start", query_start, METH_VARARGS, "start(session, plan, format, name, mode, options, partition_by, trigger, interval, host)"},
    {NULL, NULL, 0, NULL},
};

/* --- the rows of a memory source ------------------------------------------------------------------------------------ */
static void feed_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    ps_memory_feed_unref(((psi_feed *)self)->feed);
    ps_type_unref(((psi_feed *)self)->type);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *feed_new(PyTypeObject *cls, PyObject *args, PyObject *named)
{
    static char *words[] = {"schema", NULL};
    PyObject *text;
    psi_feed *self;
    ps_error err = {0};

    if (!PyArg_ParseTupleAndKeywords(args, named, "O:Feed", words, &text))
        return NULL;
    self = (psi_feed *)cls->tp_alloc(cls, 0);
    if (!self)
        return NULL;
    self->epoch = psi_self_state((PyObject *)self)->epoch;
    if (psi_type_arg(text, true, &self->type) < 0 || ps_memory_feed_new(self->type, &self->feed, &err) != PS_OK) {
        if (!PyErr_Occurred())
            psi_raise(&err);
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

/* add(rows, verify=True): all rows as one addData; the offset. */
static PyObject *feed_add(PyObject *self, PyObject *args)
{
    psi_state *state = psi_self_state(self);
    psi_feed *feed = (psi_feed *)self;
    ps_batches batches = {0};
    ps_batch *batch = NULL;
    const ps_type **types = NULL;
    PyObject *rows, *result = NULL;
    int64_t offset = 0;
    ps_error err = {0};
    int verify = 1, n = feed->type->n_fields;
    ps_status rc;

    if (!PyArg_ParseTuple(args, "O|p:add", &rows, &verify) || !psi_alive(state, feed->epoch) ||
        psi_rows_in(state, rows, feed->type, verify, &batches) < 0)
        goto done;
    types = PyMem_Calloc((size_t)n + 1, sizeof *types);
    if (!types) {
        PyErr_NoMemory();
        goto done;
    }
    for (int i = 0; i < n; i++)
        types[i] = feed->type->fields[i].type;
    Py_BEGIN_ALLOW_THREADS
    rc = ps_batches_concat(&batches, n, types, &batch, &err);
    if (rc == PS_OK)
        rc = ps_memory_feed_add(feed->feed, batch, &offset, &err);
    Py_END_ALLOW_THREADS
    result = rc == PS_OK ? PyLong_FromLongLong(offset) : psi_raise(&err);
done:
    PyMem_Free(types);
    ps_batch_unref(batch);
    ps_batches_clear(&batches);
    return result;
}

static PyMethodDef feed_methods[] = {
    {"add", feed_add, METH_VARARGS, "add(rows, verify=True): the offset that these rows made"},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot feed_slots[] = {
    {Py_tp_dealloc, feed_dealloc},
    {Py_tp_new, feed_new},
    {Py_tp_methods, feed_methods},
    {0, NULL},
};
PyType_Spec psi_feed_spec = {"pystream._engine.Feed", sizeof(psi_feed), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, feed_slots};
