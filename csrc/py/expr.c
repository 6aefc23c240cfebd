/*
 * py/expr.c - the handle of an expression, and the functions that make one.
 */
#include "py/py_int.h"

#include "col/type_text.h"
#include "expr/function.h"
#include "sql/expr_text.h"

static void expr_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    ps_expr_unref(((psi_expr *)self)->expr);
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject *psi_expr_wrap(psi_state *state, ps_expr *expr)
{
    psi_expr *self = (psi_expr *)state->expr_type->tp_alloc(state->expr_type, 0);

    if (!self) {
        ps_expr_unref(expr);
        return NULL;
    }
    self->expr = expr;
    return (PyObject *)self;
}

static PyObject *expr_text(PyObject *self, PyObject *unused)
{
    ps_error err = {0};
    ps_bytes text = {0};

    PS_UNUSED(unused);
    if (ps_expr_text(((psi_expr *)self)->expr, &text, &err) != PS_OK) {
        ps_bytes_clear(&text);
        return psi_raise(&err);
    }
    return psi_text_clear(&text);
}

static PyObject *expr_kind(PyObject *self, void *unused)
{
    static const char *const names[] = {"literal", "name", "attr", "star", "call", "cast", "alias", "sort", "lambda"};

    PS_UNUSED(unused);
    return PyUnicode_FromString(names[((psi_expr *)self)->expr->kind]);
}

/* Of a call: the function; of a name: its last part; of an alias: the first name; else None. */
static PyObject *expr_name(PyObject *self, void *unused)
{
    const ps_expr *expr = ((psi_expr *)self)->expr;
    const char *name = expr->kind == PS_X_CALL ? expr->name : NULL;

    PS_UNUSED(unused);
    if (expr->n_names)
        name = expr->names[expr->kind == PS_X_ALIAS ? 0 : expr->n_names - 1];
    return name ? PyUnicode_FromString(name) : Py_NewRef(Py_None);
}

static PyObject *expr_args(PyObject *self, void *unused)
{
    const ps_expr *expr = ((psi_expr *)self)->expr;
    PyObject *list = PyList_New(expr->n_args);

    PS_UNUSED(unused);
    for (int i = 0; list && i < expr->n_args; i++) {
        PyObject *item = psi_expr_wrap(psi_self_state(self), ps_expr_ref(expr->args[i]));

        if (!item)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, item);
    }
    return list;
}

static PyMethodDef expr_methods[] = {
    {"text", expr_text, METH_NOARGS, "What Column.__repr__ shows."},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef expr_members[] = {
    {"kind", expr_kind, NULL, "literal, name, attr, star, call, cast, alias, sort or lambda", NULL},
    {"name", expr_name, NULL, "Name of the call, last part of a name, or None", NULL},
    {"args", expr_args, NULL, "The arguments", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot expr_slots[] = {
    {Py_tp_dealloc, expr_dealloc},
    {Py_tp_methods, expr_methods},
    {Py_tp_getset, expr_members},
    {0, NULL},
};
PyType_Spec psi_expr_spec = {"pystream._engine.Expr", sizeof(psi_expr), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, expr_slots};

/* --- arguments ---------------------------------------------------------------------------------------------- */
int psi_exprs_arg(psi_state *state, PyObject *sequence, ps_expr ***out, int *n)
{
    PyObject **items;

    *out = NULL;
    *n = 0;
    if (!PyList_Check(sequence) && !PyTuple_Check(sequence)) {
        PyErr_SetString(PyExc_TypeError, "a list or tuple of Expr is wanted");
        return -1;
    }
    *n = (int)PySequence_Fast_GET_SIZE(sequence);
    items = PySequence_Fast_ITEMS(sequence);
    *out = PyMem_Calloc((size_t)*n + 1, sizeof **out);
    if (!*out) {
        PyErr_NoMemory();
        return -1;
    }
    for (int i = 0; i < *n; i++) {
        if (!Py_IS_TYPE(items[i], state->expr_type)) {
            PyErr_Format(PyExc_TypeError, "an Expr is wanted, not %s", Py_TYPE(items[i])->tp_name);
            PyMem_Free(*out);
            *out = NULL;
            return -1;
        }
        (*out)[i] = ((psi_expr *)items[i])->expr;
    }
    return 0;
}

static ps_expr *one_expr(psi_state *state, PyObject *object)
{
    if (Py_IS_TYPE(object, state->expr_type))
        return ((psi_expr *)object)->expr;
    PyErr_Format(PyExc_TypeError, "an Expr is wanted, not %s", Py_TYPE(object)->tp_name);
    return NULL;
}

/* `expr` by address: it is read only after the call that makes it, also when that call is the argument before it. */
static PyObject *wrapped(psi_state *state, ps_status rc, ps_expr *const *expr, const ps_error *err)
{
    return rc == PS_OK ? psi_expr_wrap(state, *expr) : psi_raise(err);
}

/* --- making ----------------------------------------------------------------------------------------------------- */
static PyObject *make_literal(PyObject *module, PyObject *args)
{
    psi_state *state = psi_state_of(module);
    PyObject *value, *type_text = NULL;
    const ps_type *type = NULL;
    ps_error err = {0};
    ps_vec *vec;
    ps_expr *expr = NULL;
    ps_status rc;

    if (!PyArg_ParseTuple(args, "O|O:literal", &value, &type_text))
        return NULL;
    if (type_text && type_text != Py_None && psi_type_arg(type_text, false, &type) < 0)
        return NULL;
    rc = psi_value_in(state, value, type, &vec);
    ps_type_unref(type);
    if (rc != 0)
        return NULL;
    rc = ps_expr_literal(vec, &expr, &err);
    ps_vec_unref(vec);
    return wrapped(state, rc, &expr, &err);
}

static PyObject *read_text(PyObject *module, PyObject *arg, ps_status (*read)(ps_slice text, ps_expr **out, ps_error *err))
{
    ps_error err = {0};
    ps_expr *expr = NULL;
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(arg, &n);

    if (!text)
        return NULL;
    return wrapped(psi_state_of(module), read((ps_slice){text, (size_t)n}, &expr, &err), &expr, &err);
}

static PyObject *make_name(PyObject *module, PyObject *arg) { return read_text(module, arg, ps_expr_name_text); }
static PyObject *make_parsed(PyObject *module, PyObject *arg) { return read_text(module, arg, ps_expr_parse); }

/* A name that is taken as it is: no dots, no star. */
static PyObject *make_whole_name(PyObject *module, PyObject *arg)
{
    ps_error err = {0};
    ps_expr *expr = NULL;
    const char *text = PyUnicode_AsUTF8(arg);

    return text ? wrapped(psi_state_of(module), ps_expr_name(&text, 1, &expr, &err), &expr, &err) : NULL;
}

static PyObject *make_attr(PyObject *module, PyObject *args)
{
    ps_error err = {0};
    ps_expr *expr = NULL;
    long long id;
    const char *name;

    if (!PyArg_ParseTuple(args, "Ls:attr", &id, &name))
        return NULL;
    return wrapped(psi_state_of(module), ps_expr_attr(id, name, &expr, &err), &expr, &err);
}

static PyObject *make_call(PyObject *module, PyObject *args, PyObject *named)
{
    static char *words[] = {"name", "args", "operator", "distinct", "ignore_nulls", "filter", NULL};
    psi_state *state = psi_state_of(module);
    ps_error err = {0};
    ps_expr *expr = NULL, **items;
    PyObject *list, *filter = NULL;
    int is_operator = 0, distinct = 0, ignore_nulls = 0, n;
    const char *name;
    ps_status rc;

    if (!PyArg_ParseTupleAndKeywords(args, named, "sO|pppO:call", words, &name, &list, &is_operator, &distinct, &ignore_nulls, &filter))
        return NULL;
    if (filter && !one_expr(state, filter))
        return NULL;
    if (psi_exprs_arg(state, list, &items, &n) < 0)
        return NULL;
    rc = ps_expr_call(name, items, n, &expr, &err);
    PyMem_Free(items);
    if (rc == PS_OK) { /* ours alone until it is wrapped */
        expr->is_operator = is_operator;
        expr->distinct = distinct;
        expr->ignore_nulls = ignore_nulls;
        expr->filter = filter ? ps_expr_ref(((psi_expr *)filter)->expr) : NULL;
    }
    return wrapped(state, rc, &expr, &err);
}

static PyObject *make_cast(PyObject *module, PyObject *args)
{
    psi_state *state = psi_state_of(module);
    ps_error err = {0};
    ps_expr *expr = NULL, *arg;
    PyObject *object, *text;
    const ps_type *type;
    int is_try = 0;
    ps_status rc;

    if (!PyArg_ParseTuple(args, "OO|p:cast", &object, &text, &is_try))
        return NULL;
    arg = one_expr(state, object);
    if (!arg || psi_type_arg(text, false, &type) < 0)
        return NULL;
    rc = ps_expr_cast(arg, type, is_try, &expr, &err);
    ps_type_unref(type);
    return wrapped(state, rc, &expr, &err);
}

static PyObject *make_alias(PyObject *module, PyObject *args)
{
    psi_state *state = psi_state_of(module);
    ps_error err = {0};
    ps_expr *expr = NULL, *arg;
    PyObject *object, *list;
    const char *metadata = NULL, **names;
    ps_status rc;
    int n;

    if (!PyArg_ParseTuple(args, "OO|z:alias", &object, &list, &metadata))
        return NULL;
    arg = one_expr(state, object);
    if (!arg || psi_texts_arg(list, &names, &n) < 0)
        return NULL;
    rc = ps_expr_alias(arg, names, n, metadata, &expr, &err);
    PyMem_Free(names);
    return wrapped(state, rc, &expr, &err);
}

static PyObject *make_sort(PyObject *module, PyObject *args)
{
    psi_state *state = psi_state_of(module);
    ps_error err = {0};
    ps_expr *expr = NULL, *arg;
    PyObject *object;
    int descending, nulls_first;

    if (!PyArg_ParseTuple(args, "Opp:sort", &object, &descending, &nulls_first))
        return NULL;
    arg = one_expr(state, object);
    return arg ? wrapped(state, ps_expr_sort(arg, descending, nulls_first, &expr, &err), &expr, &err) : NULL;
}

static PyObject *make_lambda(PyObject *module, PyObject *args)
{
    psi_state *state = psi_state_of(module);
    ps_error err = {0};
    ps_expr *expr = NULL, *body;
    PyObject *object, *list;
    const char **names;
    ps_status rc;
    int n;

    if (!PyArg_ParseTuple(args, "OO:lambda_", &object, &list))
        return NULL;
    body = one_expr(state, object);
    if (!body || psi_texts_arg(list, &names, &n) < 0)
        return NULL;
    rc = ps_expr_lambda(body, names, n, &expr, &err);
    PyMem_Free(names);
    return wrapped(state, rc, &expr, &err);
}

static PyObject *list_functions(PyObject *module, PyObject *unused)
{
    int n;
    const ps_fn *const *all = ps_fn_all(&n);
    PyObject *list = PyList_New(n);

    PS_UNUSED(module);
    PS_UNUSED(unused);
    for (int i = 0; list && i < n; i++) {
        const ps_fn *fn = all[i];
        PyObject *item = Py_BuildValue("sIzzzz", fn->name, fn->flags, fn->params, fn->accepts, fn->example, fn->doc);

        if (!item)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, item);
    }
    return list;
}

PyMethodDef psi_expr_functions[] = {
    {"literal", make_literal, METH_VARARGS, "literal(value, type=None)"},
    {"name", make_name, METH_O, "name(text): a dotted name, or a star"},
    {"whole_name", make_whole_name, METH_O, "whole_name(text): one name, dots and all"},
    {"attr", make_attr, METH_VARARGS, "attr(id, name): a column of a certain DataFrame"},
    {"call", (PyCFunction)(void (*)(void))make_call, METH_VARARGS | METH_KEYWORDS, "call(name, args, operator=False, distinct=False, ignore_nulls=False, filter=None)"},
    {"cast", make_cast, METH_VARARGS, "cast(expr, type, is_try=False)"},
    {"alias", make_alias, METH_VARARGS, "alias(expr, names, metadata=None)"},
    {"sort", make_sort, METH_VARARGS, "sort(expr, descending, nulls_first)"},
    {"lambda_", make_lambda, METH_VARARGS, "lambda_(body, names)"},
    {"parse_expr", make_parsed, METH_O, "parse_expr(text): SQL text, an alias allowed"},
    {"functions", list_functions, METH_NOARGS, "Rows (name, flags, params, accepts, example, doc) of the functions"},
    {NULL, NULL, 0, NULL},
};
