/*
 * py/raise.c - engine errors as Python exceptions, and Python exceptions carried through the engine.
 *
 * The class of an error is named by its row of errors.def: a class of pystream.errors, or a built-in.  An exception
 * that Python code raised below the engine is kept beside the ps_error and raised again, with its traceback.
 */
#include "py/py_int.h"

#include "base/clock.h"

#define POLL_NS 50000000 /* look for Ctrl-C that often */

static PyObject *class_of(const char *name)
{
    PyObject *module = PyImport_ImportModule("pystream.errors");
    PyObject *found = module ? PyObject_GetAttrString(module, name) : NULL;

    Py_XDECREF(module);
    if (!found) {
        PyErr_Clear();
        module = PyImport_ImportModule("builtins");
        found = module ? PyObject_GetAttrString(module, name) : NULL;
        Py_XDECREF(module);
    }
    return found;
}

static PyObject *text_of(const char *text) { return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace"); }

static PyObject *text_or_none(const char *text)
{
    if (text && *text)
        return text_of(text);
    Py_RETURN_NONE;
}

PyObject *psi_error_tuple(const ps_error *err)
{
    const ps_error_row *row = ps_error_describe(err->code);
    PyObject *message = text_of(err->message);

    return message ? Py_BuildValue("NNNs", message, text_or_none(row->condition), text_or_none(row->sqlstate), row->py_class) : NULL;
}

PyObject *psi_raise(const ps_error *err)
{
    const ps_error_row *row = ps_error_describe(err->code);
    PyObject *cls = class_of(row->py_class), *error = NULL, *make = NULL, *message = text_of(err->message);

    if (!cls || !message)
        goto done;
    make = PyObject_GetAttrString(cls, "_of_engine");
    if (make) {
        error = PyObject_CallFunction(make, "ONN", message, text_or_none(row->condition), text_or_none(row->sqlstate));
    } else {
        PyErr_Clear();
        error = PyObject_CallOneArg(cls, message);
    }
    if (error)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
done:
    Py_XDECREF(cls);
    Py_XDECREF(make);
    Py_XDECREF(error);
    Py_XDECREF(message);
    return NULL;
}

PyObject *psi_fetch(void)
{
#if PY_VERSION_HEX >= 0x030c0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *trace;

    PyErr_Fetch(&type, &value, &trace);
    if (!type)
        return NULL;
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace)
        PyException_SetTraceback(value, trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    return value;
#endif
}

static void raise_again(PyObject *error) /* takes it */
{
#if PY_VERSION_HEX >= 0x030c0000
    PyErr_SetRaisedException(error);
#else
    PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(error)), error, PyException_GetTraceback(error));
#endif
}

PyObject *psi_raise_kept(const ps_error *err, PyObject **kept)
{
    PyObject *error = *kept;

    *kept = NULL;
    if (!error)
        return psi_raise(err);
    if (err->foreign) {
        raise_again(error);
        return NULL;
    }
    Py_DECREF(error);
    return psi_raise(err);
}

ps_status psi_keep(PyObject **kept, ps_error *err)
{
    PyObject *error = psi_fetch();
    PyObject *text = error ? PyObject_Str(error) : NULL;
    const char *utf8 = text ? PyUnicode_AsUTF8(text) : NULL;
    ps_status rc;

    if (!utf8)
        PyErr_Clear();
    rc = ps_raise(err, PS_E_PYTHON, utf8 ? utf8 : "a Python exception");
    err->foreign = true;
    Py_XDECREF(text);
    Py_XSETREF(*kept, error);
    return rc;
}

static ps_status check_signals(void *self, ps_error *err)
{
    psi_poll *poll = self;
    int64_t now = ps_clock_ticks();
    PyGILState_STATE gil;
    ps_status rc = PS_OK;

    if (now - poll->last_ns < POLL_NS)
        return PS_OK;
    poll->last_ns = now;
    gil = PyGILState_Ensure();
    if (PyErr_CheckSignals() < 0)
        rc = psi_keep(&poll->kept, err);
    PyGILState_Release(gil);
    return rc;
}

void psi_poll_init(psi_poll *poll) { *poll = (psi_poll){{check_signals, poll}, NULL, ps_clock_ticks()}; }

bool psi_alive(const psi_state *state, unsigned epoch)
{
    if (state->epoch == epoch)
        return true;
    PyErr_SetString(PyExc_RuntimeError, "this object belongs to the process that was forked; make a new SparkSession in the child");
    return false;
}

PyObject *psi_error_rows(PyObject *module, PyObject *unused)
{
    PyObject *list = PyList_New(0);

    PS_UNUSED(module);
    PS_UNUSED(unused);
    for (ps_status code = 1; list && code < PS_E_COUNT; code++) {
        const ps_error_row *row = ps_error_describe(code);
        PyObject *item = Py_BuildValue("sssss", row->name, row->condition, row->sqlstate, row->py_class, row->text);

        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}
