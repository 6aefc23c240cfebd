/*
 * py/convert_out.c - columns as Python values.
 *
 * A column is opened once per batch (views of it and of its children), then read row by row.  A TIMESTAMP comes out as
 * a naive datetime in the zone of the process, whatever the session's zone is: as in PySpark.
 */
#include "py/py_int.h"

#include "col/text.h"
#include "col/type_text.h"
#include <datetime.h>
#include <time.h>

/* A column made ready for reading. */
typedef struct psi_out {
    ps_view view;
    const ps_type *type;
    PyObject *dict; /* STRUCT: the instance dict of its rows, {"__fields__": names} */
    bool plain;     /* no value of it can refer to another object that refers back */
    struct psi_out *children;
    int n_children;
} psi_out;

static PyObject *value_at(psi_state *state, const psi_out *out, int64_t row);

PyObject *psi_names_of(const ps_type *schema)
{
    PyObject *names = PyList_New(schema->n_fields);

    for (int i = 0; names && i < schema->n_fields; i++) {
        PyObject *name = PyUnicode_FromString(schema->fields[i].name);

        if (!name)
            Py_CLEAR(names);
        else
            PyList_SET_ITEM(names, i, name);
    }
    return names;
}

static void close_out(psi_out *out)
{
    for (int i = 0; i < out->n_children; i++)
        close_out(&out->children[i]);
    PyMem_Free(out->children);
    Py_XDECREF(out->dict);
}

static PyObject *row_dict(psi_state *state, PyObject *names)
{
    PyObject *dict = names ? PyDict_New() : NULL;

    if (dict && PyDict_SetItem(dict, state->fields, names) < 0)
        Py_CLEAR(dict);
    return dict;
}

static int open_out(psi_state *state, const ps_vec *vec, psi_out *out)
{
    const ps_vec *base;

    memset(out, 0, sizeof *out);
    ps_view_init(&out->view, vec);
    out->type = vec->type;
    base = out->view.base;
    out->plain = vec->type->kind != PS_ARRAY && vec->type->kind != PS_MAP;
    if (vec->type->kind == PS_STRUCT) {
        PyObject *names = psi_names_of(vec->type);

        out->dict = row_dict(state, names);
        Py_XDECREF(names);
        if (!out->dict)
            return -1;
    }
    if (base->n_children) {
        out->children = PyMem_Calloc((size_t)base->n_children, sizeof *out->children);
        if (!out->children) {
            PyErr_NoMemory();
            return -1;
        }
        while (out->n_children < base->n_children) {
            int i = out->n_children++; /* counted first: a half-open child is closed too */

            if (open_out(state, base->children[i], &out->children[i]) < 0)
                return -1;
            out->plain = out->plain && out->children[i].plain;
        }
    }
    return 0;
}

static PyObject *decimal_of(psi_state *state, __int128 unscaled, int scale)
{
    char text[PS_NUMBER_TEXT + 1];
    int n = ps_format_decimal(unscaled, scale, text);

    if (!state->decimal) {
        PyObject *module = PyImport_ImportModule("decimal");

        state->decimal = module ? PyObject_GetAttrString(module, "Decimal") : NULL;
        Py_XDECREF(module);
        if (!state->decimal)
            return NULL;
    }
    return PyObject_CallFunction(state->decimal, "s#", text, (Py_ssize_t)n);
}

static PyObject *timestamp_local(int64_t us)
{
    time_t seconds = (time_t)ps_floor_div(us, PS_US_SECOND);
    struct tm tm;

    if (!localtime_r(&seconds, &tm)) {
        PyErr_SetString(PyExc_OverflowError, "timestamp out of range for a datetime");
        return NULL;
    }
    return PyDateTime_FromDateAndTime(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                                      tm.tm_sec > 59 ? 59 : tm.tm_sec, (int)(us - (int64_t)seconds * PS_US_SECOND));
}

static PyObject *timestamp_plain(int64_t us)
{
    ps_civil c;

    ps_civil_from_us(us, &c);
    if (c.year < 1 || c.year > 9999) {
        PyErr_Format(PyExc_ValueError, "year %lld is out of range", (long long)c.year);
        return NULL;
    }
    return PyDateTime_FromDateAndTime((int)c.year, c.month, c.day, c.hour, c.minute, c.second, c.micro);
}

static PyObject *date_of(int32_t days)
{
    ps_civil c;

    ps_civil_from_days(days, &c);
    if (c.year < 1 || c.year > 9999) {
        PyErr_Format(PyExc_ValueError, "year %lld is out of range", (long long)c.year);
        return NULL;
    }
    return PyDate_FromDate((int)c.year, c.month, c.day);
}

static PyObject *delta_of(int64_t us)
{
    int64_t days = ps_floor_div(us, PS_US_DAY), rest = us - days * PS_US_DAY;

    return PyDelta_FromDSU((int)days, (int)(rest / PS_US_SECOND), (int)(rest % PS_US_SECOND));
}

/*
 * A Row: a tuple of its own class whose instance dict has the names.  All rows of a batch share one dict (a row that
 * is given other names gets a dict of its own, see Row.__setattr__).  As the interpreter does with its own tuples, a row
 * of plain values is kept from the cycle collector: thousands of new rows in each batch would otherwise start full
 * collections, which take as long as the program holds objects.
 */
static PyObject *row_new(psi_state *state, const psi_out *out)
{
    PyTypeObject *cls = (PyTypeObject *)state->row_type;
    PyObject *row = cls->tp_alloc(cls, out->n_children);

    if (row && PyObject_GenericSetDict(row, out->dict, NULL) < 0)
        Py_CLEAR(row);
    if (row && out->plain)
        PyObject_GC_UnTrack(row);
    return row;
}

static PyObject *struct_at(psi_state *state, const psi_out *out, int64_t row)
{
    PyObject *made = row_new(state, out);

    for (int i = 0; made && i < out->n_children; i++) {
        PyObject *value = value_at(state, &out->children[i], row);

        if (!value)
            Py_CLEAR(made);
        else
            PyTuple_SET_ITEM(made, i, value);
    }
    return made;
}

static PyObject *list_at(psi_state *state, const psi_out *out, ps_span span)
{
    PyObject *list = PyList_New(span.n);

    for (uint32_t i = 0; list && i < span.n; i++) {
        PyObject *value = value_at(state, &out->children[0], (int64_t)span.start + i);

        if (!value)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, value);
    }
    return list;
}

static PyObject *map_at(psi_state *state, const psi_out *out, ps_span span)
{
    PyObject *dict = PyDict_New();

    for (uint32_t i = 0; dict && i < span.n; i++) {
        PyObject *key = value_at(state, &out->children[0], (int64_t)span.start + i);
        PyObject *value = key ? value_at(state, &out->children[1], (int64_t)span.start + i) : NULL;

        if (!value || PyDict_SetItem(dict, key, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

static PyObject *unsupported(const ps_type *type)
{
    PyObject *module = PyImport_ImportModule("pystream.errors");
    PyObject *cls = module ? PyObject_GetAttrString(module, "PySparkNotImplementedError") : NULL;

    if (cls)
        PyErr_Format(cls, "[NOT_IMPLEMENTED] a value of type %s in Python is not implemented.", ps_type_name(type));
    Py_XDECREF(cls);
    Py_XDECREF(module);
    return NULL;
}

static PyObject *value_at(psi_state *state, const psi_out *out, int64_t row)
{
    int64_t at = ps_at(&out->view, row);
    const void *data = out->view.data;

    if (out->type->kind == PS_NULL || (out->view.valid && !ps_bit(out->view.valid, at)))
        Py_RETURN_NONE;
    switch (out->type->kind) {
    case PS_BOOL: return PyBool_FromLong(((const uint8_t *)data)[at]);
    case PS_INT8: return PyLong_FromLong(((const int8_t *)data)[at]);
    case PS_INT16: return PyLong_FromLong(((const int16_t *)data)[at]);
    case PS_INT32: return PyLong_FromLong(((const int32_t *)data)[at]);
    case PS_INT64: return PyLong_FromLongLong(((const int64_t *)data)[at]);
    case PS_FLOAT: return PyFloat_FromDouble((double)((const float *)data)[at]);
    case PS_DOUBLE: return PyFloat_FromDouble(((const double *)data)[at]);
    case PS_DECIMAL: return decimal_of(state, ((const __int128 *)data)[at], out->type->scale);
    case PS_STRING: {
        ps_slice text = ps_str_slice(&((const ps_str *)data)[at]);
        return PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.n_bytes, "replace");
    }
    case PS_BINARY: {
        ps_slice bytes = ps_str_slice(&((const ps_str *)data)[at]);
        return PyBytes_FromStringAndSize(bytes.data, (Py_ssize_t)bytes.n_bytes);
    }
    case PS_DATE: return date_of(((const int32_t *)data)[at]);
    case PS_TIMESTAMP: return timestamp_local(((const int64_t *)data)[at]);
    case PS_TIMESTAMP_NTZ: return timestamp_plain(((const int64_t *)data)[at]);
    case PS_DAYTIME: return delta_of(((const int64_t *)data)[at]);
    case PS_ARRAY: return list_at(state, out, ((const ps_span *)data)[at]);
    case PS_MAP: return map_at(state, out, ((const ps_span *)data)[at]);
    case PS_STRUCT: return struct_at(state, out, at);
    default: return unsupported(out->type);
    }
}

int psi_rows_out(psi_state *state, const ps_batch *batch, PyObject *names, PyObject *list)
{
    ps_rows live = ps_batch_live(batch);
    psi_out top = {.plain = true};
    int result = -1;

    if (!PyDateTimeAPI)
        PyDateTime_IMPORT;
    if (!PyDateTimeAPI)
        return -1;
    if (!(top.dict = row_dict(state, names)))
        return -1;
    top.children = PyMem_Calloc((size_t)batch->n_cols + 1, sizeof *top.children);
    if (!top.children) {
        PyErr_NoMemory();
        goto done;
    }
    while (top.n_children < batch->n_cols) {
        int i = top.n_children++;

        if (open_out(state, batch->cols[i], &top.children[i]) < 0)
            goto done;
        top.plain = top.plain && top.children[i].plain;
    }
    for (int64_t j = 0; j < live.n; j++) {
        PyObject *row = struct_at(state, &top, ps_row(&live, j));

        if (!row || PyList_Append(list, row) < 0) {
            Py_XDECREF(row);
            goto done;
        }
        Py_DECREF(row);
    }
    result = 0;
done:
    close_out(&top);
    return result;
}
