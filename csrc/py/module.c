/*
 * py/module.c - the extension pystream._engine: its state, its types, and what belongs to no handle.
 */
#include "py/py_int.h"

#include "base/failpoint.h"
#include "base/mem.h"
#include "col/type_text.h"

/* --- arguments ------------------------------------------------------------------------------------------------ */
int psi_type_arg(PyObject *text, bool schema, const ps_type **out)
{
    ps_error err = {0};
    Py_ssize_t n;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &n);
    ps_slice slice = {utf8, (size_t)n};
    ps_status rc;

    *out = NULL;
    if (!utf8)
        return -1;
    if (n > 0 && (utf8[0] == '{' || utf8[0] == '"'))
        rc = ps_type_from_json(slice, out, &err);
    else
        rc = schema ? ps_schema_parse(slice, out, &err) : ps_type_parse(slice, out, &err);
    if (rc == PS_OK)
        return 0;
    psi_raise(&err);
    return -1;
}

int psi_options_arg(PyObject *mapping, ps_options *out)
{
    ps_error err = {0};
    PyObject *key, *value;
    Py_ssize_t at = 0;

    if (!PyDict_Check(mapping)) {
        PyErr_SetString(PyExc_TypeError, "options must be a dict");
        return -1;
    }
    while (PyDict_Next(mapping, &at, &key, &value)) {
        const char *name = PyUnicode_AsUTF8(key), *text;

        if (value == Py_None)
            continue;
        text = name ? PyUnicode_AsUTF8(value) : NULL;
        if (!text)
            return -1;
        if (ps_options_set(out, name, text, &err) != PS_OK) {
            psi_raise(&err);
            return -1;
        }
    }
    return 0;
}

int psi_texts_arg(PyObject *sequence, const char ***out, int *n)
{
    *out = NULL;
    *n = 0;
    if (!PyList_Check(sequence) && !PyTuple_Check(sequence)) {
        PyErr_SetString(PyExc_TypeError, "a list or tuple of text is wanted");
        return -1;
    }
    *out = PyMem_Calloc((size_t)PySequence_Fast_GET_SIZE(sequence) + 1, sizeof **out);
    if (!*out) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(sequence); i++)
        if (!((*out)[(*n)++] = PyUnicode_AsUTF8(PySequence_Fast_GET_ITEM(sequence, i)))) {
            PyMem_Free(*out);
            *out = NULL;
            return -1;
        }
    return 0;
}

PyObject *psi_text(const ps_bytes *bytes)
{
    return PyUnicode_DecodeUTF8(bytes->data ? bytes->data : "", (Py_ssize_t)bytes->n_bytes, "replace");
}

PyObject *psi_text_clear(ps_bytes *bytes)
{
    PyObject *text = psi_text(bytes);

    ps_bytes_clear(bytes);
    return text;
}

/* --- functions of the module -------------------------------------------------------------------------------------- */
/* register(Row, misfit): what conversions need of the Python side. */
static PyObject *register_python(PyObject *module, PyObject *args)
{
    psi_state *state = psi_state_of(module);
    PyObject *row, *misfit;

    if (!PyArg_ParseTuple(args, "O!O:register", &PyType_Type, &row, &misfit))
        return NULL;
    if (!PyType_IsSubtype((PyTypeObject *)row, &PyTuple_Type)) {
        PyErr_SetString(PyExc_TypeError, "Row must be a tuple");
        return NULL;
    }
    Py_XSETREF(state->row_type, Py_NewRef(row));
    Py_XSETREF(state->misfit, Py_NewRef(misfit));
    Py_RETURN_NONE;
}

static PyObject *new_session(PyObject *module, PyObject *unused)
{
    ps_error err = {0};
    ps_session *session = NULL;
    ps_status rc;

    PS_UNUSED(unused);
    Py_BEGIN_ALLOW_THREADS
    rc = ps_session_new(&session, &err);
    Py_END_ALLOW_THREADS
    return rc == PS_OK ? psi_session_wrap(psi_state_of(module), session) : psi_raise(&err);
}

/* type_text(text, form, schema=False, level=-1): a type or schema in another of its forms. */
static PyObject *type_text(PyObject *module, PyObject *args)
{
    ps_error err = {0};
    ps_bytes out = {0};
    PyObject *text;
    const char *form;
    const ps_type *type;
    int schema = 0, level = -1;
    ps_status rc;

    PS_UNUSED(module);
    if (!PyArg_ParseTuple(args, "Os|pi:type_text", &text, &form, &schema, &level) || psi_type_arg(text, schema, &type) < 0)
        return NULL;
    switch (*form) {
    case 'j': rc = ps_type_json_text(type, &out, &err); break;
    case 's': rc = ps_type_simple_text(type, &out, &err); break;
    case 'd': rc = ps_type_ddl_text(type, &out, &err); break;
    case 't': rc = ps_type_tree_text(type, level, &out, &err); break;
    default: rc = ps_type_sql_text(type, &out, &err); break;
    }
    ps_type_unref(type);
    if (rc != PS_OK) {
        ps_bytes_clear(&out);
        return psi_raise(&err);
    }
    return psi_text_clear(&out);
}

/* Rows (key, default, kind, doc) of the confs that have a default or a rule. */
static PyObject *list_confs(PyObject *module, PyObject *unused)
{
    static const char *const kinds[] = {"text", "bool", "int", "positive", "choice", "duration", "bytes", "static"};
    int n;
    const ps_conf_row *rows = ps_conf_rows(&n);
    PyObject *list = PyList_New(n);

    PS_UNUSED(module);
    PS_UNUSED(unused);
    for (int i = 0; list && i < n; i++) {
        PyObject *item = Py_BuildValue("szss", rows[i].key, rows[i].fallback, kinds[rows[i].kind], rows[i].doc);

        if (!item)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, item);
    }
    return list;
}

static PyObject *mem_used(PyObject *module, PyObject *unused)
{
    PS_UNUSED(module);
    PS_UNUSED(unused);
    return Py_BuildValue("KK", (unsigned long long)ps_mem_used(), (unsigned long long)ps_mem_peak());
}

static PyObject *mem_fail_at(PyObject *module, PyObject *arg)
{
    long long nth = PyLong_AsLongLong(arg);

    PS_UNUSED(module);
    if (nth == -1 && PyErr_Occurred())
        return NULL;
    ps_mem_fail_at(nth);
    Py_RETURN_NONE;
}

/* failpoint(name, mode, nth=1): mode None disarms. */
static PyObject *failpoint(PyObject *module, PyObject *args)
{
    ps_error err = {0};
    const char *name, *mode;
    long long nth = 1;

    PS_UNUSED(module);
    if (!PyArg_ParseTuple(args, "sz|L:failpoint", &name, &mode, &nth))
        return NULL;
    return ps_failpoint_arm(name, mode, nth, &err) == PS_OK ? Py_NewRef(Py_None) : psi_raise(&err);
}

/* run_mode(batch_rows=0, slice_rows=0, shaped=False): how tests want batches; zeros are as usual. */
static PyObject *run_mode(PyObject *module, PyObject *args)
{
    int batch_rows = 0, shaped = 0;
    long long slice_rows = 0;

    PS_UNUSED(module);
    if (!PyArg_ParseTuple(args, "|iLp:run_mode", &batch_rows, &slice_rows, &shaped))
        return NULL;
    ps_batch_rows = batch_rows > 0 ? batch_rows : PS_BATCH_ROWS;
    ps_memory_feed_mode(slice_rows, shaped);
    Py_RETURN_NONE;
}

static PyObject *failpoint_clear(PyObject *module, PyObject *unused)
{
    PS_UNUSED(module);
    PS_UNUSED(unused);
    ps_failpoint_disarm_all();
    Py_RETURN_NONE;
}

/* The child of a fork calls this: handles made before it are dead from now on. */
static PyObject *forked(PyObject *module, PyObject *unused)
{
    PS_UNUSED(unused);
    psi_state_of(module)->epoch++;
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"register", register_python, METH_VARARGS, "register(Row, misfit)"},
    {"session", new_session, METH_NOARGS, "A new Session"},
    {"type_text", type_text, METH_VARARGS, "type_text(text, form, schema=False, level=-1); forms json, simple, ddl, tree, SQL"},
    {"errors", psi_error_rows, METH_NOARGS, "Rows (name, condition, sqlstate, class, text) of the errors"},
    {"confs", list_confs, METH_NOARGS, "Rows (key, default, kind, doc) of the confs"},
    {"mem_used", mem_used, METH_NOARGS, "(bytes held, most bytes ever held)"},
    {"mem_fail_at", mem_fail_at, METH_O, "Tests: the nth allocation from now fails"},
    {"failpoint", failpoint, METH_VARARGS, "failpoint(name, mode, nth=1)"},
    {"run_mode", run_mode, METH_VARARGS, "run_mode(batch_rows=0, slice_rows=0, shaped=False): tests"},
    {"failpoint_clear", failpoint_clear, METH_NOARGS, "Disarms all failpoints"},
    {"forked", forked, METH_NOARGS, "Tells that this process is the child of a fork"},
    {NULL, NULL, 0, NULL},
};

/* --- the module ---------------------------------------------------------------------------------------------------- */
static int add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **out)
{
    *out = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *out ? PyModule_AddType(module, *out) : -1;
}

static int module_exec(PyObject *module)
{
    psi_state *state = psi_state_of(module);

    psi_callbacks_init();
    state->fields = PyUnicode_InternFromString("__fields__");
    if (!state->fields || add_type(module, &psi_expr_spec, &state->expr_type) < 0 ||
        add_type(module, &psi_plan_spec, &state->plan_type) < 0 || add_type(module, &psi_session_spec, &state->session_type) < 0 ||
        add_type(module, &psi_query_spec, &state->query_type) < 0 || add_type(module, &psi_feed_spec, &state->feed_type) < 0)
        return -1;
    if (PyModule_AddFunctions(module, psi_expr_functions) < 0 || PyModule_AddFunctions(module, psi_query_functions) < 0 ||
        PyModule_AddFunctions(module, psi_arrow_functions) < 0)
        return -1;
    return 0;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    psi_state *state = psi_state_of(module);

    Py_VISIT(state->expr_type);
    Py_VISIT(state->plan_type);
    Py_VISIT(state->session_type);
    Py_VISIT(state->query_type);
    Py_VISIT(state->feed_type);
    Py_VISIT(state->row_type);
    Py_VISIT(state->misfit);
    Py_VISIT(state->decimal);
    return 0;
}

static int module_clear(PyObject *module)
{
    psi_state *state = psi_state_of(module);

    Py_CLEAR(state->expr_type);
    Py_CLEAR(state->plan_type);
    Py_CLEAR(state->session_type);
    Py_CLEAR(state->query_type);
    Py_CLEAR(state->feed_type);
    Py_CLEAR(state->row_type);
    Py_CLEAR(state->misfit);
    Py_CLEAR(state->decimal);
    Py_CLEAR(state->fields);
    return 0;
}

static void module_free(void *module) { module_clear(module); }

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};
struct PyModuleDef psi_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "pystream._engine",
    .m_doc = "The engine of pystream. Private: use pystream.sql.",
    .m_size = sizeof(psi_state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__engine(void) { return PyModuleDef_Init(&psi_module); }
