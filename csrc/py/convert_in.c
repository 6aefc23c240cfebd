/*
 * py/convert_in.c - Python values as columns.
 *
 * What each type accepts is PySpark's table of verified types (the very class, no subclass).  A value that does not
 * fit is reported through the function `misfit` that pystream registers: it knows the texts.  Without verification a
 * value that does not fit is NULL, as it is after pickling in Spark.
 */
#include "py/py_int.h"

#include "col/build.h"
#include "col/text.h"
#include "col/type_text.h"
#include <datetime.h>
#include <time.h>

/* Where a value stands, for messages: "field b in field a". */
typedef struct psi_path {
    const struct psi_path *parent;
    const char *what; /* "field", "element in array", "key of map", "value of map" */
    const char *name; /* of a field, or NULL */
} psi_path;

typedef struct psi_in {
    psi_state *state;
    bool verify;
    ps_error err; /* one for all values: it is too large to be cleared for each */
} psi_in;

static int append(psi_in *in, ps_builder *b, PyObject *value, bool nullable, const psi_path *path);

static int engine_failed(const ps_error *err)
{
    psi_raise(err);
    return -1;
}

/* 0, or -1 with what the engine said in in->err. */
static int outcome(psi_in *in, ps_status rc) { return rc == PS_OK ? 0 : engine_failed(&in->err); }

/* "field b in field a", "element in array field a": a part of a field is told apart by its own words. */
static PyObject *path_text(const psi_path *path)
{
    PyObject *text = PyUnicode_FromString("");
    const char *joint = "";

    for (; text && path; path = path->parent) {
        PyObject *longer = path->name ? PyUnicode_FromFormat("%U%s%s %s", text, joint, path->what, path->name)
                                      : PyUnicode_FromFormat("%U%s%s", text, joint, path->what);

        Py_SETREF(text, longer);
        joint = path->name ? " in " : " ";
    }
    return text;
}

/* `kind`: "type", "range", "null" or "length".  Always -1. */
static int misfit(psi_in *in, const char *kind, const ps_type *type, PyObject *value, const psi_path *path)
{
    ps_bytes json = {0};
    PyObject *where = path_text(path), *text = NULL, *result = NULL;

    if (where && ps_type_json_text(type, &json, &in->err) != PS_OK)
        psi_raise(&in->err);
    else if (where && (text = psi_text(&json)))
        result = PyObject_CallFunction(in->state->misfit, "sOOO", kind, text, value, where);
    if (result)
        PyErr_SetString(PyExc_SystemError, "misfit() returned");
    ps_bytes_clear(&json);
    Py_XDECREF(where);
    Py_XDECREF(text);
    Py_XDECREF(result);
    return -1;
}

static int append_null(psi_in *in, ps_builder *b) { return outcome(in, ps_build_null(b, &in->err)); }

/* A value of another class than the type wants. */
static int refuse(psi_in *in, ps_builder *b, PyObject *value, const psi_path *path)
{
    return in->verify ? misfit(in, "type", b->type, value, path) : append_null(in, b);
}

static int append_int64(psi_in *in, ps_builder *b, int64_t value) { return outcome(in, ps_build_int(b, value, &in->err)); }

static int append_int(psi_in *in, ps_builder *b, PyObject *value, const psi_path *path)
{
    static const int bits[] = {[PS_INT8] = 8, [PS_INT16] = 16, [PS_INT32] = 32, [PS_INT64] = 64};
    int n_bits = bits[b->type->kind], overflow = 0;
    long long number;

    if (!PyLong_CheckExact(value))
        return refuse(in, b, value, path);
    number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (number == -1 && PyErr_Occurred())
        return -1;
    if (overflow || (n_bits < 64 && (number < -(1ll << (n_bits - 1)) || number >= 1ll << (n_bits - 1))))
        return in->verify ? misfit(in, "range", b->type, value, path) : append_null(in, b);
    return append_int64(in, b, number);
}

static int append_double(psi_in *in, ps_builder *b, PyObject *value, const psi_path *path)
{
    if (!PyFloat_CheckExact(value))
        return refuse(in, b, value, path);
    return outcome(in, ps_build_double(b, PyFloat_AS_DOUBLE(value), &in->err));
}

static int append_utf8(psi_in *in, ps_builder *b, PyObject *text)
{
    Py_ssize_t n;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &n);
    PyObject *bytes = NULL;
    int result;

    if (!utf8) { /* lone surrogates */
        PyErr_Clear();
        bytes = PyUnicode_AsEncodedString(text, "utf-8", "replace");
        if (!bytes)
            return -1;
        utf8 = PyBytes_AS_STRING(bytes);
        n = PyBytes_GET_SIZE(bytes);
    }
    result = outcome(in, ps_build_text(b, utf8, (size_t)n, &in->err));
    Py_XDECREF(bytes);
    return result;
}

static int append_text(psi_in *in, ps_builder *b, PyObject *value)
{
    PyObject *text;
    int result;

    if (PyUnicode_Check(value))
        return append_utf8(in, b, value);
    if (PyBool_Check(value))
        text = PyUnicode_FromString(value == Py_True ? "true" : "false");
    else
        text = PyObject_Str(value);
    result = text ? append_utf8(in, b, text) : -1;
    Py_XDECREF(text);
    return result;
}

static int append_bytes(psi_in *in, ps_builder *b, PyObject *value, const psi_path *path)
{
    const char *data;
    Py_ssize_t n;

    if (PyBytes_CheckExact(value)) {
        data = PyBytes_AS_STRING(value);
        n = PyBytes_GET_SIZE(value);
    } else if (PyByteArray_CheckExact(value)) {
        data = PyByteArray_AS_STRING(value);
        n = PyByteArray_GET_SIZE(value);
    } else {
        return refuse(in, b, value, path);
    }
    return outcome(in, ps_build_text(b, data, (size_t)n, &in->err));
}

static bool is_class(PyObject *value, const char *module, const char *name)
{
    PyTypeObject *type = Py_TYPE(value);

    return strcmp(type->tp_name, name) == 0 || (strncmp(type->tp_name, module, strlen(module)) == 0 && type->tp_name[strlen(module)] == '.' &&
                                               strcmp(type->tp_name + strlen(module) + 1, name) == 0);
}
static bool is_decimal(PyObject *value) { return is_class(value, "decimal", "Decimal"); }

static int append_decimal(psi_in *in, ps_builder *b, PyObject *value, const psi_path *path)
{
    PyObject *text, *finite;
    const char *utf8;
    __int128 unscaled;
    int result = -1;

    if (!is_decimal(value))
        return refuse(in, b, value, path);
    finite = PyObject_CallMethod(value, "is_finite", NULL);
    if (!finite)
        return -1;
    Py_DECREF(finite);
    if (finite != Py_True) /* NaN and infinities have no place in a DECIMAL */
        return append_null(in, b);
    text = PyObject_Str(value);
    utf8 = text ? PyUnicode_AsUTF8(text) : NULL;
    if (utf8 && !ps_parse_decimal(ps_slice_of(utf8), b->type->precision, b->type->scale, &unscaled))
        result = misfit(in, "precision", b->type, value, path);
    else if (utf8)
        result = outcome(in, ps_build_int128(b, unscaled, &in->err));
    Py_XDECREF(text);
    return result;
}

static int64_t micros_of_day(PyObject *value)
{
    return ((PyDateTime_DATE_GET_HOUR(value) * 60ll + PyDateTime_DATE_GET_MINUTE(value)) * 60 + PyDateTime_DATE_GET_SECOND(value)) *
               PS_US_SECOND + PyDateTime_DATE_GET_MICROSECOND(value);
}
static int64_t days_of(PyObject *value)
{
    return ps_days_from_civil(PyDateTime_GET_YEAR(value), PyDateTime_GET_MONTH(value), PyDateTime_GET_DAY(value));
}
static int64_t delta_us(PyObject *delta)
{
    return PyDateTime_DELTA_GET_DAYS(delta) * PS_US_DAY + PyDateTime_DELTA_GET_SECONDS(delta) * PS_US_SECOND +
           PyDateTime_DELTA_GET_MICROSECONDS(delta);
}

/* The instant of a datetime: naive ones are in the zone of the process, as in PySpark. */
static int instant_of(PyObject *value, int64_t *out)
{
    int64_t local = days_of(value) * PS_US_DAY + micros_of_day(value);
    PyObject *offset = PyObject_CallMethod(value, "utcoffset", NULL);
    struct tm tm = {0};

    if (!offset)
        return -1;
    if (offset != Py_None) {
        *out = local - delta_us(offset);
        Py_DECREF(offset);
        return 0;
    }
    Py_DECREF(offset);
    tm.tm_year = PyDateTime_GET_YEAR(value) - 1900;
    tm.tm_mon = PyDateTime_GET_MONTH(value) - 1;
    tm.tm_mday = PyDateTime_GET_DAY(value);
    tm.tm_hour = PyDateTime_DATE_GET_HOUR(value);
    tm.tm_min = PyDateTime_DATE_GET_MINUTE(value);
    tm.tm_sec = PyDateTime_DATE_GET_SECOND(value);
    tm.tm_isdst = -1;
    *out = (int64_t)mktime(&tm) * PS_US_SECOND + PyDateTime_DATE_GET_MICROSECOND(value);
    return 0;
}

static int append_time(psi_in *in, ps_builder *b, PyObject *value, const psi_path *path)
{
    int64_t us;

    switch (b->type->kind) {
    case PS_DATE:
        return PyDate_CheckExact(value) || PyDateTime_CheckExact(value) ? append_int64(in, b, days_of(value)) : refuse(in, b, value, path);
    case PS_DAYTIME:
        return PyDelta_CheckExact(value) ? append_int64(in, b, delta_us(value)) : refuse(in, b, value, path);
    case PS_TIMESTAMP_NTZ:
        return PyDateTime_CheckExact(value) ? append_int64(in, b, days_of(value) * PS_US_DAY + micros_of_day(value)) : refuse(in, b, value, path);
    default:
        if (!PyDateTime_CheckExact(value))
            return refuse(in, b, value, path);
        return instant_of(value, &us) < 0 ? -1 : append_int64(in, b, us);
    }
}

static int append_array(psi_in *in, ps_builder *b, PyObject *value, const psi_path *path)
{
    const ps_field *element = &b->type->fields[0];
    psi_path inner = {path, "element in array", NULL};
    PyObject *items;
    int result;

    if (!PyList_CheckExact(value) && !PyTuple_CheckExact(value) && !is_class(value, "array", "array"))
        return refuse(in, b, value, path);
    items = PySequence_Tuple(value); /* ours: a value may run Python code that changes the list */
    if (!items)
        return -1;
    result = outcome(in, ps_build_list(b, 0, &in->err));
    for (Py_ssize_t i = 0; result == 0 && i < PyTuple_GET_SIZE(items); i++)
        result = append(in, ps_build_child(b, 0), PyTuple_GET_ITEM(items, i), element->nullable, &inner);
    ps_build_list_end(b);
    Py_DECREF(items);
    return result;
}

static int append_map(psi_in *in, ps_builder *b, PyObject *value, const psi_path *path)
{
    psi_path keys = {path, "key of map", NULL}, values = {path, "value of map", NULL};
    PyObject *key, *item, *items;
    Py_ssize_t at = 0;
    int result;

    if (!PyDict_CheckExact(value))
        return refuse(in, b, value, path);
    items = PyDict_Copy(value);
    if (!items)
        return -1;
    result = outcome(in, ps_build_list(b, 0, &in->err));
    while (result == 0 && PyDict_Next(items, &at, &key, &item)) {
        result = append(in, ps_build_child(b, 0), key, false, &keys);
        if (result == 0)
            result = append(in, ps_build_child(b, 1), item, b->type->fields[1].nullable, &values);
    }
    ps_build_list_end(b);
    Py_DECREF(items);
    return result;
}

/* The fields of a row, appended to one builder each. */
static int append_fields(psi_in *in, const ps_type *type, ps_builder **fields, PyObject *value, const psi_path *path)
{
    bool by_name = PyDict_Check(value);
    PyObject *names = NULL, *items = NULL;
    int result = -1;

    if (!by_name && !PyTuple_Check(value) && !PyList_Check(value)) {
        names = PyObject_GetAttrString(value, "__dict__");
        if (!names || !PyDict_Check(names)) {
            PyErr_Clear();
            Py_XDECREF(names);
            return misfit(in, "type", type, value, path);
        }
        by_name = true;
    }
    if (!by_name) {
        items = PySequence_Tuple(value);
        if (!items)
            goto done;
        if (PyTuple_GET_SIZE(items) != type->n_fields) {
            misfit(in, "length", type, value, path);
            goto done;
        }
    }
    for (int i = 0; i < type->n_fields; i++) {
        const ps_field *field = &type->fields[i];
        psi_path inner = {path, "field", field->name};
        PyObject *item = items ? PyTuple_GET_ITEM(items, i) : PyDict_GetItemString(names ? names : value, field->name);

        if (append(in, fields[i], item ? item : Py_None, field->nullable, &inner) < 0)
            goto done;
    }
    result = 0;
done:
    Py_XDECREF(names);
    Py_XDECREF(items);
    return result;
}

static int append(psi_in *in, ps_builder *b, PyObject *value, bool nullable, const psi_path *path)
{
    if (value == Py_None) {
        if (!nullable && in->verify)
            return misfit(in, "null", b->type, value, path);
        return append_null(in, b);
    }
    switch (b->type->kind) {
    case PS_NULL: return refuse(in, b, value, path);
    case PS_BOOL: return PyBool_Check(value) ? append_int64(in, b, value == Py_True) : refuse(in, b, value, path);
    case PS_INT8:
    case PS_INT16:
    case PS_INT32:
    case PS_INT64: return append_int(in, b, value, path);
    case PS_FLOAT:
    case PS_DOUBLE: return append_double(in, b, value, path);
    case PS_DECIMAL: return append_decimal(in, b, value, path);
    case PS_STRING: return append_text(in, b, value);
    case PS_BINARY: return append_bytes(in, b, value, path);
    case PS_DATE:
    case PS_TIMESTAMP:
    case PS_TIMESTAMP_NTZ:
    case PS_DAYTIME: return append_time(in, b, value, path);
    case PS_ARRAY: return append_array(in, b, value, path);
    case PS_MAP: return append_map(in, b, value, path);
    case PS_STRUCT:
        if (outcome(in, ps_build_struct(b, &in->err)) < 0)
            return -1;
        return append_fields(in, b->type, b->children, value, path);
    default: return misfit(in, "type", b->type, value, path);
    }
}

static int import_datetime(void)
{
    if (!PyDateTimeAPI)
        PyDateTime_IMPORT;
    return PyDateTimeAPI ? 0 : -1;
}

/* What the builders hold becomes a batch of the list. */
static int flush(ps_builder **fields, int n_fields, int64_t n_rows, ps_batches *out)
{
    ps_error err = {0};
    ps_batch *batch = NULL;
    ps_status rc;

    PS_TRY_OR(done, ps_batch_new(n_fields, n_rows, &batch, &err));
    for (int i = 0; i < n_fields; i++)
        PS_TRY_OR(done, ps_build_finish(fields[i], &batch->cols[i], &err));
    rc = ps_batches_add(out, batch, &err);
done:
    ps_batch_unref(batch);
    return rc == PS_OK ? 0 : engine_failed(&err);
}

int psi_rows_in(psi_state *state, PyObject *rows, const ps_type *schema, bool verify, ps_batches *out)
{
    psi_in in = {.state = state, .verify = verify};
    ps_builder **fields = NULL;
    PyObject *items = PySequence_Tuple(rows);
    int result = -1;
    int64_t n = 0;

    if (!items || import_datetime() < 0)
        goto done;
    fields = PyMem_Calloc((size_t)schema->n_fields + 1, sizeof *fields);
    if (!fields) {
        PyErr_NoMemory();
        goto done;
    }
    for (int i = 0; i < schema->n_fields; i++)
        if (outcome(&in, ps_build_new(schema->fields[i].type, 0, &fields[i], &in.err)) < 0)
            goto done;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items); i++) {
        PyObject *row = PyTuple_GET_ITEM(items, i);

        if (append_fields(&in, schema, fields, row, NULL) < 0)
            goto done;
        if (++n == PS_BATCH_ROWS) {
            if (flush(fields, schema->n_fields, n, out) < 0)
                goto done;
            n = 0;
        }
    }
    result = n ? flush(fields, schema->n_fields, n, out) : 0;
done:
    for (int i = 0; fields && i < schema->n_fields; i++)
        ps_build_free(fields[i]);
    PyMem_Free(fields);
    Py_XDECREF(items);
    return result;
}

/* The type of a DECIMAL literal: the digits that the value has. */
static const ps_type *type_of_decimal(PyObject *value)
{
    ps_error err = {0};
    const ps_type *type = NULL;
    PyObject *parts = PyObject_CallMethod(value, "as_tuple", NULL);
    PyObject *digits = parts ? PySequence_GetItem(parts, 1) : NULL, *exponent = parts ? PySequence_GetItem(parts, 2) : NULL;
    long scale, precision;

    if (digits && exponent && PyLong_Check(exponent)) {
        scale = -PyLong_AsLong(exponent);
        precision = (long)PyObject_Length(digits);
        if (scale < 0) {
            precision -= scale;
            scale = 0;
        }
        if (precision < scale)
            precision = scale;
        if (ps_type_decimal(precision > 127 ? 127 : (int)precision, scale > 127 ? 127 : (int)scale, &type, &err) != PS_OK)
            psi_raise(&err);
    } else if (digits && exponent) {
        PyErr_SetString(PyExc_ValueError, "a DECIMAL literal must be finite");
    }
    Py_XDECREF(parts);
    Py_XDECREF(digits);
    Py_XDECREF(exponent);
    return type;
}

/* The type that F.lit() gives a value; NULL with an exception when it has none. */
static const ps_type *type_of_literal(PyObject *value)
{
    ps_kind kind;

    if (value == Py_None)
        kind = PS_NULL;
    else if (PyBool_Check(value))
        kind = PS_BOOL;
    else if (PyLong_CheckExact(value)) {
        int overflow;
        long long number = PyLong_AsLongLongAndOverflow(value, &overflow);

        if (overflow) {
            PyErr_Format(PyExc_OverflowError, "%R does not fit a BIGINT", value);
            return NULL;
        }
        kind = number >= INT32_MIN && number <= INT32_MAX ? PS_INT32 : PS_INT64;
    } else if (PyFloat_CheckExact(value))
        kind = PS_DOUBLE;
    else if (PyUnicode_Check(value))
        kind = PS_STRING;
    else if (PyBytes_CheckExact(value) || PyByteArray_CheckExact(value))
        kind = PS_BINARY;
    else if (PyDateTime_Check(value))
        kind = PS_TIMESTAMP;
    else if (PyDate_Check(value))
        kind = PS_DATE;
    else if (PyDelta_Check(value))
        kind = PS_DAYTIME;
    else if (is_decimal(value))
        return type_of_decimal(value);
    else {
        PyErr_Format(PyExc_TypeError, "no literal of class %s", Py_TYPE(value)->tp_name);
        return NULL;
    }
    return ps_type_ref(ps_type_of(kind));
}

int psi_value_in(psi_state *state, PyObject *value, const ps_type *type, ps_vec **out)
{
    psi_in in = {.state = state, .verify = true};
    ps_builder *b = NULL;
    ps_vec *flat = NULL;
    ps_status rc = PS_OK;
    int result = -1;

    *out = NULL;
    if (import_datetime() < 0)
        return -1;
    type = type ? ps_type_ref(type) : type_of_literal(value);
    if (!type)
        return -1;
    PS_TRY_OR(done, ps_build_new(type, 1, &b, &in.err));
    if (append(&in, b, value, true, NULL) < 0)
        goto done;
    PS_TRY_OR(done, ps_build_finish(b, &flat, &in.err));
    PS_TRY_OR(done, ps_vec_repeat(flat, 0, 1, out, &in.err));
    result = 0;
done:
    if (rc != PS_OK)
        psi_raise(&in.err);
    ps_vec_unref(flat);
    ps_build_free(b);
    ps_type_unref(type);
    return result;
}
