/*
 * py/session.c - the handle of a session: makes plan nodes, runs bounded ones, keeps views and confs.
 */
#include "py/py_int.h"

#include "base/clock.h"
#include "col/type_text.h"

typedef struct psi_node_args {
    ps_arg *items;
    int n;
    ps_batches *batches; /* of the one BATCHES argument, or NULL */
} psi_node_args;

static void session_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    if (((psi_session *)self)->epoch == psi_self_state(self)->epoch) /* after fork() its locks may be held for ever */
        ps_session_unref(((psi_session *)self)->session);
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject *psi_session_wrap(psi_state *state, ps_session *session)
{
    psi_session *self = (psi_session *)state->session_type->tp_alloc(state->session_type, 0);

    if (!self) {
        ps_session_unref(session);
        return NULL;
    }
    self->session = session;
    self->epoch = state->epoch;
    return (PyObject *)self;
}

/* The session of a method call; NULL with an exception set after fork(). */
static ps_session *alive(PyObject *self)
{
    return psi_alive(psi_self_state(self), ((psi_session *)self)->epoch) ? ((psi_session *)self)->session : NULL;
}

static ps_node *node_arg(psi_state *state, PyObject *object)
{
    if (Py_IS_TYPE(object, state->plan_type))
        return ((psi_plan *)object)->node;
    PyErr_Format(PyExc_TypeError, "a Plan is wanted, not %s", Py_TYPE(object)->tp_name);
    return NULL;
}

static PyObject *session_clone(PyObject *self, PyObject *args)
{
    ps_session *session = alive(self), *made = NULL;
    ps_error err = {0};
    int copy_views = 0;
    ps_status rc;

    if (!session || !PyArg_ParseTuple(args, "|p:clone", &copy_views))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    rc = ps_session_clone(session, copy_views, &made, &err);
    Py_END_ALLOW_THREADS
    return rc == PS_OK ? psi_session_wrap(psi_self_state(self), made) : psi_raise(&err);
}

/* --- confs and views --------------------------------------------------------------------------------------- */
static PyObject *session_conf_get(PyObject *self, PyObject *arg)
{
    ps_session *session = alive(self);
    const char *key = PyUnicode_AsUTF8(arg);
    char *value = NULL;
    ps_error err = {0};
    PyObject *result;
    ps_status rc;

    if (!session || !key)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    rc = ps_session_conf_get(session, key, &value, &err);
    Py_END_ALLOW_THREADS
    if (rc != PS_OK)
        return psi_raise(&err);
    result = value ? PyUnicode_FromString(value) : Py_NewRef(Py_None);
    ps_free(value);
    return result;
}

static PyObject *session_conf_set(PyObject *self, PyObject *args)
{
    ps_session *session = alive(self);
    const char *key, *value;
    ps_error err = {0};
    ps_status rc;

    if (!session || !PyArg_ParseTuple(args, "sz:conf_set", &key, &value))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    rc = ps_session_conf_set(session, key, value, &err);
    Py_END_ALLOW_THREADS
    return rc == PS_OK ? Py_NewRef(Py_None) : psi_raise(&err);
}

/* conf_set_static(key, value): for builders, which may set static keys too. */
static PyObject *session_conf_set_static(PyObject *self, PyObject *args)
{
    ps_session *session = alive(self);
    const char *key, *value;
    ps_error err = {0};
    ps_status rc;

    if (!session || !PyArg_ParseTuple(args, "sz:conf_set_static", &key, &value))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    rc = ps_session_conf_set_static(session, key, value, &err);
    Py_END_ALLOW_THREADS
    return rc == PS_OK ? Py_NewRef(Py_None) : psi_raise(&err);
}

/* conf_ms(key): a duration, in milliseconds. */
static PyObject *session_conf_ms(PyObject *self, PyObject *arg)
{
    ps_session *session = alive(self);
    const char *key = PyUnicode_AsUTF8(arg);
    ps_error err = {0};
    ps_conf conf = {0};
    int64_t ms = 0;
    ps_status rc;

    if (!session || !key)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    rc = ps_session_conf(session, &conf, &err);
    if (rc == PS_OK)
        ms = ps_conf_int(&conf, key);
    ps_conf_clear(&conf);
    Py_END_ALLOW_THREADS
    return rc == PS_OK ? PyLong_FromLongLong(ms) : psi_raise(&err);
}

static PyObject *options_dict(const ps_options *options)
{
    PyObject *dict = PyDict_New();

    for (int i = 0; dict && i < options->n; i++) {
        PyObject *value = options->items[i].value ? PyUnicode_FromString(options->items[i].value) : Py_NewRef(Py_None);

        if (!value || PyDict_SetItemString(dict, options->items[i].key, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(value);
    }
    return dict;
}

static PyObject *session_conf_all(PyObject *self, PyObject *unused)
{
    ps_session *session = alive(self);
    ps_error err = {0};
    ps_conf conf = {0};
    PyObject *dict;
    ps_status rc;

    PS_UNUSED(unused);
    if (!session)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    rc = ps_session_conf(session, &conf, &err);
    Py_END_ALLOW_THREADS
    if (rc != PS_OK)
        return psi_raise(&err);
    dict = options_dict(&conf.set);
    ps_conf_clear(&conf);
    return dict;
}

static PyObject *session_view_set(PyObject *self, PyObject *args)
{
    ps_session *session = alive(self);
    const char *name;
    PyObject *plan;
    ps_node *node;
    ps_error err = {0};
    int replace;
    ps_status rc;

    if (!session || !PyArg_ParseTuple(args, "sOp:view_set", &name, &plan, &replace) || !(node = node_arg(psi_self_state(self), plan)))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    rc = ps_session_view_set(session, name, node, replace, &err);
    Py_END_ALLOW_THREADS
    return rc == PS_OK ? Py_NewRef(Py_None) : psi_raise(&err);
}

static PyObject *session_view_get(PyObject *self, PyObject *arg)
{
    ps_session *session = alive(self);
    const char *name = PyUnicode_AsUTF8(arg);
    ps_node *node = NULL;
    ps_error err = {0};
    ps_status rc;

    if (!session || !name)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    rc = ps_session_view_get(session, name, &node, &err);
    Py_END_ALLOW_THREADS
    return rc == PS_OK ? psi_plan_wrap(psi_self_state(self), node) : psi_raise(&err);
}

static PyObject *session_view_drop(PyObject *self, PyObject *arg)
{
    ps_session *session = alive(self);
    const char *name = PyUnicode_AsUTF8(arg);
    bool found;

    if (!session || !name)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    found = ps_session_view_drop(session, name);
    Py_END_ALLOW_THREADS
    return PyBool_FromLong(found);
}

static PyObject *session_view_names(PyObject *self, PyObject *unused)
{
    ps_session *session = alive(self);
    ps_options names = {0};
    ps_error err = {0};
    PyObject *list;
    ps_status rc;

    PS_UNUSED(unused);
    if (!session)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    rc = ps_session_view_names(session, &names, &err);
    Py_END_ALLOW_THREADS
    if (rc != PS_OK)
        return psi_raise(&err);
    list = PyList_New(0);
    for (int i = 0; list && i < names.n; i++) {
        PyObject *name = PyUnicode_FromString(names.items[i].key);

        if (!name || PyList_Append(list, name) < 0)
            Py_CLEAR(list);
        Py_XDECREF(name);
    }
    ps_options_clear(&names);
    return list;
}

/* --- making plans ------------------------------------------------------------------------------------------------ */
static PyObject *plan_of(PyObject *self, ps_status rc, ps_node *node, const ps_error *err)
{
    return rc == PS_OK ? psi_plan_wrap(psi_self_state(self), node) : psi_raise(err);
}

/* One argument of a node: an int, a list of Expr, a list of text, a text. */
static int read_arg(psi_state *state, PyObject *name, PyObject *value, ps_arg *arg)
{
    arg->name = PyUnicode_AsUTF8(name);
    if (!arg->name)
        return -1;
    if (PyLong_Check(value)) {
        arg->kind = PS_A_INT;
        arg->number = PyLong_AsLongLong(value);
        return arg->number == -1 && PyErr_Occurred() ? -1 : 0;
    }
    if (PyUnicode_Check(value)) {
        const char **text = PyMem_Calloc(1, sizeof *text);

        if (!text) {
            PyErr_NoMemory();
            return -1;
        }
        arg->kind = PS_A_TEXTS;
        arg->texts = text;
        arg->n = 1;
        return (text[0] = PyUnicode_AsUTF8(value)) ? 0 : -1;
    }
    if ((PyList_Check(value) || PyTuple_Check(value)) && PySequence_Fast_GET_SIZE(value) > 0 &&
        PyUnicode_Check(PySequence_Fast_GET_ITEM(value, 0))) {
        const char **texts;

        arg->kind = PS_A_TEXTS;
        if (psi_texts_arg(value, &texts, &arg->n) < 0)
            return -1;
        arg->texts = texts;
        return 0;
    }
    arg->kind = PS_A_EXPRS;
    return psi_exprs_arg(state, value, (ps_expr ***)&arg->exprs, &arg->n);
}

static void free_args(psi_node_args *args)
{
    for (int i = 0; i < args->n; i++) {
        PyMem_Free((void *)args->items[i].exprs);
        PyMem_Free((void *)args->items[i].texts);
    }
    PyMem_Free(args->items);
}

static int read_args(psi_state *state, PyObject *dict, psi_node_args *out)
{
    PyObject *name, *value;
    Py_ssize_t at = 0;

    memset(out, 0, sizeof *out);
    out->items = PyMem_Calloc((size_t)PyDict_GET_SIZE(dict) + 1, sizeof *out->items);
    if (!out->items) {
        PyErr_NoMemory();
        return -1;
    }
    while (PyDict_Next(dict, &at, &name, &value)) {
        out->n++;
        if (read_arg(state, name, value, &out->items[out->n - 1]) < 0)
            return -1;
    }
    return 0;
}

static ps_status make_node(ps_session *session, const char *kind, ps_node *const *inputs, int n_inputs, const ps_arg *items, int n,
                           ps_node **out, ps_error *err)
{
    ps_conf conf = {0};
    ps_args args = {items, n, &conf};
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_session_conf(session, &conf, err));
    rc = ps_node_make(kind, inputs, n_inputs, &args, out, err);
    ps_conf_clear(&conf);
    return rc;
}

/* node(kind, inputs, args): one row of ops.def over these inputs. */
static PyObject *session_node(PyObject *self, PyObject *args)
{
    psi_state *state = psi_self_state(self);
    ps_session *session = alive(self);
    const char *kind;
    PyObject *list, *dict, *result = NULL;
    psi_node_args node_args = {0};
    ps_node *node = NULL, *inputs[64];
    ps_error err = {0};
    ps_status rc;
    Py_ssize_t n;

    if (!session || !PyArg_ParseTuple(args, "sO!O!:node", &kind, &PyList_Type, &list, &PyDict_Type, &dict))
        return NULL;
    n = PyList_GET_SIZE(list);
    if (n > (Py_ssize_t)PS_COUNT_OF(inputs)) {
        PyErr_SetString(PyExc_ValueError, "too many inputs");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        if (!(inputs[i] = node_arg(state, PyList_GET_ITEM(list, i))))
            return NULL;
    if (read_args(state, dict, &node_args) == 0) {
        Py_BEGIN_ALLOW_THREADS
        rc = make_node(session, kind, inputs, (int)n, node_args.items, node_args.n, &node, &err);
        Py_END_ALLOW_THREADS
        result = plan_of(self, rc, node, &err);
    }
    free_args(&node_args);
    return result;
}

ps_status psi_local_node(ps_session *session, const ps_type *schema, ps_batches *batches, ps_node **out, ps_error *err)
{
    ps_arg items[] = {{.name = "type", .kind = PS_A_TYPE, .type = schema}, {.name = "batches", .kind = PS_A_BATCHES, .batches = batches}};

    return make_node(session, "local", NULL, 0, items, 2, out, err);
}

/* local(schema, rows, verify): rows of Python values as a bounded relation. */
static PyObject *session_local(PyObject *self, PyObject *args)
{
    psi_state *state = psi_self_state(self);
    ps_session *session = alive(self);
    PyObject *schema_text, *rows, *result = NULL;
    const ps_type *schema;
    ps_batches batches = {0};
    ps_node *node = NULL;
    ps_error err = {0};
    int verify = 1;
    ps_status rc;

    if (!session || !PyArg_ParseTuple(args, "OO|p:local", &schema_text, &rows, &verify) || psi_type_arg(schema_text, true, &schema) < 0)
        return NULL;
    if (psi_rows_in(state, rows, schema, verify, &batches) == 0) {
        Py_BEGIN_ALLOW_THREADS
        rc = psi_local_node(session, schema, &batches, &node, &err);
        Py_END_ALLOW_THREADS
        result = plan_of(self, rc, node, &err);
    }
    ps_batches_clear(&batches);
    ps_type_unref(schema);
    return result;
}

static ps_status make_source(ps_session *session, ps_source_request *request, ps_node **out, ps_error *err)
{
    ps_source_info *info = NULL;
    ps_conf conf = {0};
    ps_arg arg = {.name = "source", .kind = PS_A_SOURCE};
    ps_args args = {&arg, 1, &conf};
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_session_conf(session, &conf, err));
    request->conf = &conf;
    request->fs = ps_session_fs(session);
    request->clock = ps_session_clock(session);
    rc = ps_source_describe(request, &info, err);
    arg.source = info;
    if (rc == PS_OK)
        rc = ps_node_make("source", NULL, 0, &args, out, err);
    ps_source_info_unref(info);
    ps_conf_clear(&conf);
    return rc;
}

/* source(format, options, paths, schema, streaming, feed=None) */
static PyObject *session_source(PyObject *self, PyObject *args)
{
    psi_state *state = psi_self_state(self);
    ps_session *session = alive(self);
    PyObject *mapping, *list, *schema_text, *feed = Py_None, *result = NULL;
    ps_source_request request = {0};
    const char **paths = NULL;
    const ps_type *schema = NULL;
    ps_options options = {0};
    ps_node *node = NULL;
    ps_error err = {0};
    int streaming;
    ps_status rc;

    if (!session || !PyArg_ParseTuple(args, "sOOOp|O:source", &request.format, &mapping, &list, &schema_text, &streaming, &feed))
        return NULL;
    if (schema_text != Py_None && psi_type_arg(schema_text, true, &schema) < 0)
        return NULL;
    if (psi_options_arg(mapping, &options) < 0 || psi_texts_arg(list, &paths, &request.n_paths) < 0)
        goto done;
    request.options = &options;
    request.paths = paths;
    request.schema = schema;
    request.streaming = streaming;
    if (Py_IS_TYPE(feed, state->feed_type))
        request.object = ((psi_feed *)feed)->feed;
    Py_BEGIN_ALLOW_THREADS
    rc = make_source(session, &request, &node, &err);
    Py_END_ALLOW_THREADS
    result = plan_of(self, rc, node, &err);
done:
    PyMem_Free(paths);
    ps_options_clear(&options);
    ps_type_unref(schema);
    return result;
}

/* sql(text, names=None, values=()): the values stand for :name, or without names for ?. */
static PyObject *session_sql(PyObject *self, PyObject *args)
{
    ps_session *session = alive(self);
    PyObject *name_list = Py_None, *value_list = NULL, *result = NULL;
    const char *text, **names = NULL;
    ps_expr **values = NULL;
    ps_node *node = NULL;
    ps_error err = {0};
    int n = 0, n_names = 0;
    ps_status rc;

    if (!session || !PyArg_ParseTuple(args, "s|OO:sql", &text, &name_list, &value_list))
        return NULL;
    if (value_list && psi_exprs_arg(psi_self_state(self), value_list, &values, &n) < 0)
        return NULL;
    if (name_list != Py_None && psi_texts_arg(name_list, &names, &n_names) < 0)
        goto done;
    if (names && n_names != n) {
        PyErr_SetString(PyExc_ValueError, "as many names as values are wanted");
        goto done;
    }
    Py_BEGIN_ALLOW_THREADS
    rc = psi_session_sql(session, text, names, values, n, &node, &err);
    Py_END_ALLOW_THREADS
    result = plan_of(self, rc, node, &err);
done:
    PyMem_Free(names);
    PyMem_Free(values);
    return result;
}

/* --- names -------------------------------------------------------------------------------------------------------- */
/* df["a.b"]: a column of this very plan, with its fields behind it.  `depth` fields stand behind the column. */
static ps_status column_of(const ps_expr *name, const ps_bound *bound, ps_expr **out, ps_error *err)
{
    ps_expr *expr = NULL;
    int depth = 0;
    ps_status rc;

    *out = NULL;
    while (bound->kind == PS_B_CALL && bound->n_args > 0) {
        bound = bound->args[0];
        depth++;
    }
    if (bound->kind != PS_B_COLUMN || depth >= name->n_names) {
        *out = ps_expr_ref((ps_expr *)name);
        return PS_OK;
    }
    PS_TRY(ps_expr_attr(bound->attr_id, name->names[name->n_names - depth - 1], &expr, err));
    for (int i = name->n_names - depth; i < name->n_names; i++) {
        ps_expr *args[2] = {expr, NULL};
        ps_expr *field = NULL;

        rc = ps_expr_literal_text(ps_slice_of(name->names[i]), &args[1], err);
        if (rc == PS_OK)
            rc = ps_expr_call("getitem", args, 2, &field, err);
        ps_expr_unref(args[1]);
        ps_expr_unref(expr);
        if (rc != PS_OK)
            return rc;
        expr = field;
    }
    *out = expr;
    return PS_OK;
}

static ps_status resolve(ps_session *session, const ps_node *node, const char *text, ps_expr **out, ps_error *err)
{
    const ps_attrs *input = &node->out;
    ps_conf conf = {0};
    ps_scope scope = {.inputs = &input, .n_inputs = 1, .conf = &conf};
    ps_expr *name = NULL;
    ps_bound *bound = NULL;
    ps_status rc;

    *out = NULL;
    PS_TRY(ps_session_conf(session, &conf, err));
    PS_TRY_OR(done, ps_expr_name_text(ps_slice_of(text), &name, err));
    if (name->kind != PS_X_NAME) {
        *out = ps_expr_ref(name);
        goto done;
    }
    PS_TRY_OR(done, ps_bind(name, &scope, &bound, err));
    rc = column_of(name, bound, out, err);
done:
    ps_expr_unref(name);
    ps_bound_unref(bound);
    ps_conf_clear(&conf);
    return rc;
}

static PyObject *session_resolve(PyObject *self, PyObject *args)
{
    psi_state *state = psi_self_state(self);
    ps_session *session = alive(self);
    PyObject *plan;
    ps_node *node;
    ps_expr *expr = NULL;
    ps_error err = {0};
    const char *text;

    if (!session || !PyArg_ParseTuple(args, "Os:resolve", &plan, &text) || !(node = node_arg(state, plan)))
        return NULL;
    if (resolve(session, node, text, &expr, &err) != PS_OK)
        return psi_raise(&err);
    return psi_expr_wrap(state, expr);
}

/* --- actions ----------------------------------------------------------------------------------------------------------- */
static PyObject *rows_of(psi_state *state, const ps_node *node, const ps_batches *batches)
{
    PyObject *list = PyList_New(0), *names = NULL;
    const ps_type *schema = NULL;
    ps_error err = {0};
    bool good = false;

    if (ps_node_schema(node, &schema, &err) != PS_OK) {
        psi_raise(&err);
    } else if (list && (names = psi_names_of(schema))) {
        good = true;
        for (int i = 0; good && i < batches->n; i++)
            good = psi_rows_out(state, batches->items[i], names, list) == 0;
    }
    ps_type_unref(schema);
    Py_XDECREF(names);
    if (!good)
        Py_CLEAR(list);
    return list;
}

static PyObject *session_collect(PyObject *self, PyObject *plan)
{
    psi_state *state = psi_self_state(self);
    ps_session *session = alive(self);
    ps_batches batches = {0};
    ps_error err = {0};
    PyObject *result;
    psi_poll poll;
    ps_node *node;
    ps_status rc;

    if (!session || !(node = node_arg(state, plan)))
        return NULL;
    psi_poll_init(&poll);
    Py_BEGIN_ALLOW_THREADS
    rc = ps_session_collect(session, node, &poll.action, &batches, &err);
    Py_END_ALLOW_THREADS
    result = rc == PS_OK ? rows_of(state, node, &batches) : psi_raise_kept(&err, &poll.kept);
    ps_batches_clear(&batches);
    Py_XDECREF(poll.kept);
    return result;
}

static PyObject *session_show(PyObject *self, PyObject *args)
{
    ps_session *session = alive(self);
    PyObject *plan, *result;
    ps_bytes text = {0};
    ps_error err = {0};
    psi_poll poll;
    ps_node *node;
    long long n;
    int truncate, vertical;
    ps_status rc;

    if (!session || !PyArg_ParseTuple(args, "OLip:show", &plan, &n, &truncate, &vertical) || !(node = node_arg(psi_self_state(self), plan)))
        return NULL;
    psi_poll_init(&poll);
    Py_BEGIN_ALLOW_THREADS
    rc = ps_session_show(session, node, &poll.action, n, truncate, vertical, &text, &err);
    Py_END_ALLOW_THREADS
    result = rc == PS_OK ? psi_text(&text) : psi_raise_kept(&err, &poll.kept);
    ps_bytes_clear(&text);
    Py_XDECREF(poll.kept);
    return result;
}

/* write(plan, format, options, save_mode, partition_by) */
static PyObject *session_write(PyObject *self, PyObject *args)
{
    ps_session *session = alive(self);
    PyObject *plan, *mapping, *list, *result = NULL;
    ps_sink_request request = {.mode = PS_APPEND, .batch = true, .sync = true};
    const char **columns = NULL;
    ps_options options = {0};
    ps_error err = {0};
    psi_poll poll;
    ps_node *node;
    ps_status rc;

    if (!session || !PyArg_ParseTuple(args, "OsOsO:write", &plan, &request.format, &mapping, &request.save_mode, &list) ||
        !(node = node_arg(psi_self_state(self), plan)))
        return NULL;
    psi_poll_init(&poll);
    if (psi_options_arg(mapping, &options) == 0 && psi_texts_arg(list, &columns, &request.n_partition_by) == 0) {
        request.options = &options;
        request.partition_by = columns;
        Py_BEGIN_ALLOW_THREADS
        rc = ps_session_write(session, node, &poll.action, &request, &err);
        Py_END_ALLOW_THREADS
        result = rc == PS_OK ? Py_NewRef(Py_None) : psi_raise_kept(&err, &poll.kept);
    }
    PyMem_Free(columns);
    ps_options_clear(&options);
    Py_XDECREF(poll.kept);
    return result;
}

/* --- the session's queries -------------------------------------------------------------------------------------------- */
/* wait_any(ms): has a query ended; negative: for ever. Raises the failure that is remembered. */
static PyObject *session_wait_any(PyObject *self, PyObject *args)
{
    ps_session *session = alive(self);
    ps_error err = {0};
    bool ended = false;
    long long ms = -1;
    ps_status rc;

    if (!session || !PyArg_ParseTuple(args, "|L:wait_any", &ms))
        return NULL;
    for (;;) {
        long long slice = ms >= 0 && ms < PSI_SLICE_MS ? ms : PSI_SLICE_MS;

        Py_BEGIN_ALLOW_THREADS
        rc = ps_session_wait_any(session, slice, &ended, &err);
        Py_END_ALLOW_THREADS
        if (PyErr_CheckSignals() < 0)
            return NULL;
        if (rc != PS_OK)
            return psi_raise(&err);
        if (ended)
            Py_RETURN_TRUE;
        if (ms >= 0 && (ms -= slice) <= 0)
            Py_RETURN_FALSE;
    }
}

static PyObject *session_reset_terminated(PyObject *self, PyObject *unused)
{
    ps_session *session = alive(self);

    PS_UNUSED(unused);
    if (!session)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    ps_session_reset_terminated(session);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *session_listen(PyObject *self, PyObject *arg)
{
    ps_session *session = alive(self);
    int on = PyObject_IsTrue(arg);
    ps_error err = {0};

    if (!session || on < 0)
        return NULL;
    if (ps_session_listen(session, on, &err) != PS_OK)
        return psi_raise(&err);
    Py_RETURN_NONE;
}

/* hold_clock(ms): the queries of this session have a clock that stands still until it is told the next time; None: the
 * system's again.  The clock stays for the life of the process, since a query may still look at it. */
static PyObject *session_hold_clock(PyObject *self, PyObject *arg)
{
    static ps_clock *held;
    ps_session *session = alive(self);
    ps_error err = {0};
    long long ms = 0;

    if (!session || (arg != Py_None && (ms = PyLong_AsLongLong(arg)) == -1 && PyErr_Occurred()))
        return NULL;
    if (arg != Py_None && !held && ps_clock_manual_new(0, &held, &err) != PS_OK)
        return psi_raise(&err);
    if (arg != Py_None)
        ps_clock_advance(held, ms - ps_clock_now_ms(held));
    ps_session_set_clock(session, arg != Py_None ? held : ps_clock_system());
    Py_RETURN_NONE;
}

static PyMethodDef session_methods[] = {
    {"hold_clock", session_hold_clock, METH_O, "hold_clock(ms): tests; None lets it go"},
    {"clone", session_clone, METH_VARARGS, "clone(copy_views=False)"},
    {"conf_get", session_conf_get, METH_O, "The value or default of a conf, or None"},
    {"conf_set", session_conf_set, METH_VARARGS, "conf_set(key, value): None unsets"},
    {"conf_set_static", session_conf_set_static, METH_VARARGS, "conf_set_static(key, value): for builders"},
    {"conf_ms", session_conf_ms, METH_O, "A duration in milliseconds"},
    {"conf_all", session_conf_all, METH_NOARGS, "The confs that were set"},
    {"view_set", session_view_set, METH_VARARGS, "view_set(name, plan, replace)"},
    {"view_get", session_view_get, METH_O, "The plan of a view"},
    {"view_drop", session_view_drop, METH_O, "Whether there was such a view"},
    {"view_names", session_view_names, METH_NOARGS, "Names of the views"},
    {"node", session_node, METH_VARARGS, "node(kind, inputs, args)"},
    {"local", session_local, METH_VARARGS, "local(schema, rows, verify=True)"},
    {"source", session_source, METH_VARARGS, "source(format, options, paths, schema, streaming, feed=None)"},
    {"sql", session_sql, METH_VARARGS, "sql(text, names=None, values=()): the plan of a statement"},
    {"resolve", session_resolve, METH_VARARGS, "resolve(plan, name): a column of this very plan"},
    {"collect", session_collect, METH_O, "The rows of a bounded plan"},
    {"show", session_show, METH_VARARGS, "show(plan, n, truncate, vertical)"},
    {"wait_any", session_wait_any, METH_VARARGS, "wait_any(ms=-1): has a query ended"},
    {"reset_terminated", session_reset_terminated, METH_NOARGS, "Forgets the queries that have ended"},
    {"listen", session_listen, METH_O, "listen(on): whether progress is told to the host"},
    {"write", session_write, METH_VARARGS, "write(plan, format, options, save_mode, partition_by)"},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot session_slots[] = {
    {Py_tp_dealloc, session_dealloc},
    {Py_tp_methods, session_methods},
    {0, NULL},
};
PyType_Spec psi_session_spec = {"pystream._engine.Session", sizeof(psi_session), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, session_slots};
