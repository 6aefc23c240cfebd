/*
 * py/plan.c - the handle of a plan node: what it gives, and what its names mean.
 */
#include "py/py_int.h"

#include "col/type_text.h"

static void plan_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    ps_node_unref(((psi_plan *)self)->node);
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject *psi_plan_wrap(psi_state *state, ps_node *node)
{
    psi_plan *self = (psi_plan *)state->plan_type->tp_alloc(state->plan_type, 0);

    if (!self) {
        ps_node_unref(node);
        return NULL;
    }
    self->node = node;
    return (PyObject *)self;
}

static PyObject *schema_text(PyObject *self, ps_status (*print)(const ps_type *, ps_bytes *, ps_error *))
{
    ps_error err = {0};
    ps_bytes text = {0};
    const ps_type *schema = NULL;
    ps_status rc;

    rc = ps_node_schema(((psi_plan *)self)->node, &schema, &err);
    if (rc == PS_OK)
        rc = print(schema, &text, &err);
    ps_type_unref(schema);
    if (rc != PS_OK) {
        ps_bytes_clear(&text);
        return psi_raise(&err);
    }
    return psi_text_clear(&text);
}

static PyObject *plan_json(PyObject *self, PyObject *unused)
{
    PS_UNUSED(unused);
    return schema_text(self, ps_type_json_text);
}

static PyObject *plan_simple(PyObject *self, PyObject *unused)
{
    PS_UNUSED(unused);
    return schema_text(self, ps_type_simple_text);
}

/* [(name, type as simpleString, attribute id)] of the visible columns. */
static PyObject *plan_columns(PyObject *self, PyObject *unused)
{
    const ps_attrs *attrs = &((psi_plan *)self)->node->out;
    PyObject *list = PyList_New(0);

    PS_UNUSED(unused);
    for (int i = 0; list && i < attrs->n; i++) {
        ps_error err = {0};
        ps_bytes text = {0};
        PyObject *item = NULL;

        if (attrs->items[i].hidden)
            continue;
        if (ps_type_simple_text(attrs->items[i].type, &text, &err) != PS_OK)
            psi_raise(&err);
        else
            item = Py_BuildValue("sNL", attrs->items[i].name, psi_text(&text), (long long)attrs->items[i].id);
        ps_bytes_clear(&text);
        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *plan_is_streaming(PyObject *self, void *unused)
{
    PS_UNUSED(unused);
    return PyBool_FromLong(((psi_plan *)self)->node->streaming);
}

static PyObject *plan_id(PyObject *self, void *unused)
{
    PS_UNUSED(unused);
    return PyLong_FromLongLong(((psi_plan *)self)->node->id);
}

static PyObject *plan_explain(PyObject *self, PyObject *args)
{
    ps_error err = {0};
    ps_bytes text = {0};
    const char *mode = "simple";

    if (!PyArg_ParseTuple(args, "|s:explain", &mode))
        return NULL;
    if (ps_plan_explain(((psi_plan *)self)->node, mode, &text, &err) != PS_OK) {
        ps_bytes_clear(&text);
        return psi_raise(&err);
    }
    return psi_text_clear(&text);
}

static PyObject *plan_check_batch(PyObject *self, PyObject *unused)
{
    ps_error err = {0};

    PS_UNUSED(unused);
    return ps_plan_check_batch(((psi_plan *)self)->node, &err) == PS_OK ? Py_NewRef(Py_None) : psi_raise(&err);
}

static PyMethodDef plan_methods[] = {
    {"json", plan_json, METH_NOARGS, "The schema as JSON"},
    {"simple", plan_simple, METH_NOARGS, "The schema as simpleString"},
    {"columns", plan_columns, METH_NOARGS, "[(name, type, attribute id)]"},
    {"explain", plan_explain, METH_VARARGS, "explain(mode='simple')"},
    {"check_batch", plan_check_batch, METH_NOARGS, "Raises when the plan reads a stream"},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef plan_members[] = {
    {"is_streaming", plan_is_streaming, NULL, "Reads a stream", NULL},
    {"id", plan_id, NULL, "Number of the node", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot plan_slots[] = {
    {Py_tp_dealloc, plan_dealloc},
    {Py_tp_methods, plan_methods},
    {Py_tp_getset, plan_members},
    {0, NULL},
};
PyType_Spec psi_plan_spec = {"pystream._engine.Plan", sizeof(psi_plan), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, plan_slots};
