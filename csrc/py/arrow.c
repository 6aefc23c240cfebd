/*
 * py/arrow.c - columns to and from other libraries, by the Arrow PyCapsule interface.
 *
 * Rows go out as a stream that owns them, so a consumer may read it on any thread and after the session has ended.
 */
#include "py/py_int.h"

#include "base/mem.h"
#include "col/arrow.h"
#include <errno.h>

/* --- out ----------------------------------------------------------------------------------------------------- */
typedef struct psi_stream {
    ps_batches batches;
    const ps_type *schema;
    char *zone;
    int next;
    ps_error err;
} psi_stream;

static void free_stream(psi_stream *own)
{
    ps_batches_clear(&own->batches);
    ps_type_unref(own->schema);
    ps_free(own->zone);
    ps_free(own);
}

static int stream_code(const psi_stream *own, ps_status rc)
{
    return rc == PS_OK ? 0 : own->err.code == PS_E_NO_MEMORY ? ENOMEM : EINVAL;
}

static int stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    psi_stream *own = stream->private_data;

    return stream_code(own, ps_arrow_export_type(own->schema, "", false, own->zone, out, &own->err));
}

static int stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    psi_stream *own = stream->private_data;

    out->release = NULL;
    if (own->next >= own->batches.n)
        return 0;
    return stream_code(own, ps_arrow_export_batch(own->batches.items[own->next++], out, &own->err));
}

static const char *stream_error(struct ArrowArrayStream *stream) { return ((psi_stream *)stream->private_data)->err.message; }

static void stream_release(struct ArrowArrayStream *stream)
{
    free_stream(stream->private_data);
    stream->release = NULL;
}

static void end_stream_capsule(PyObject *capsule)
{
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");

    if (stream->release) /* nobody took it over */
        stream->release(stream);
    ps_free(stream);
}

static void end_schema_capsule(PyObject *capsule)
{
    struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema");

    if (schema->release)
        schema->release(schema);
    ps_free(schema);
}

/* A stream of these rows; takes `own`, also when it fails. */
static PyObject *stream_capsule(psi_stream *own)
{
    struct ArrowArrayStream *stream;
    ps_error err = {0};
    PyObject *capsule;

    if (ps_alloc0(sizeof *stream, &stream, &err) != PS_OK) {
        free_stream(own);
        return psi_raise(&err);
    }
    *stream = (struct ArrowArrayStream){stream_schema, stream_next, stream_error, stream_release, own};
    capsule = PyCapsule_New(stream, "arrow_array_stream", end_stream_capsule);
    if (!capsule) {
        stream->release(stream);
        ps_free(stream);
    }
    return capsule;
}

static ps_status fill_stream(ps_session *session, ps_node *node, const ps_action *action, psi_stream *own, ps_error *err)
{
    PS_TRY(ps_session_conf_get(session, "spark.sql.session.timeZone", &own->zone, err));
    PS_TRY(ps_node_schema(node, &own->schema, err));
    return ps_session_collect(session, node, action, &own->batches, err);
}

/* arrow_out(session, plan): the rows of a bounded plan as a capsule "arrow_array_stream". */
static PyObject *arrow_out(PyObject *module, PyObject *args)
{
    psi_state *state = psi_state_of(module);
    PyObject *session, *plan;
    psi_stream *own;
    ps_error err = {0};
    psi_poll poll;
    ps_status rc;

    if (!PyArg_ParseTuple(args, "O!O!:arrow_out", state->session_type, &session, state->plan_type, &plan) ||
        !psi_alive(state, ((psi_session *)session)->epoch))
        return NULL;
    if (ps_alloc0(sizeof *own, &own, &err) != PS_OK)
        return psi_raise(&err);
    psi_poll_init(&poll);
    Py_BEGIN_ALLOW_THREADS
    rc = fill_stream(((psi_session *)session)->session, ((psi_plan *)plan)->node, &poll.action, own, &err);
    Py_END_ALLOW_THREADS
    if (rc == PS_OK)
        return stream_capsule(own);
    free_stream(own);
    psi_raise_kept(&err, &poll.kept);
    Py_XDECREF(poll.kept);
    return NULL;
}

/* arrow_schema(schema, zone): a schema as a capsule "arrow_schema". */
static PyObject *arrow_schema(PyObject *module, PyObject *args)
{
    struct ArrowSchema *out;
    PyObject *text, *capsule;
    const ps_type *schema;
    const char *zone;
    ps_error err = {0};
    ps_status rc;

    PS_UNUSED(module);
    if (!PyArg_ParseTuple(args, "Os:arrow_schema", &text, &zone) || psi_type_arg(text, true, &schema) < 0)
        return NULL;
    rc = ps_alloc0(sizeof *out, &out, &err);
    if (rc == PS_OK && (rc = ps_arrow_export_type(schema, "", false, zone, out, &err)) != PS_OK)
        ps_free(out);
    ps_type_unref(schema);
    if (rc != PS_OK)
        return psi_raise(&err);
    capsule = PyCapsule_New(out, "arrow_schema", end_schema_capsule);
    if (!capsule) {
        out->release(out);
        ps_free(out);
    }
    return capsule;
}

/* --- in ------------------------------------------------------------------------------------------------------- */
static ps_status foreign_error(struct ArrowArrayStream *stream, ps_error *err)
{
    const char *text = stream->get_last_error(stream);

    return ps_raise(err, PS_E_ARROW_ARRAY, text && *text ? text : "the stream failed");
}

static ps_status read_batches(struct ArrowArrayStream *stream, const struct ArrowSchema *schema, ps_batches *out, ps_error *err)
{
    for (;;) {
        struct ArrowArray array = {0};
        ps_batch *batch;
        ps_status rc;

        if (stream->get_next(stream, &array) != 0)
            return foreign_error(stream, err);
        if (!array.release)
            return PS_OK;
        rc = ps_arrow_import_batch(schema, &array, NULL, &batch, err);
        array.release(&array);
        if (rc == PS_OK) {
            rc = ps_batches_add(out, batch, err);
            ps_batch_unref(batch);
        }
        PS_TRY(rc);
    }
}

static ps_status local_of_stream(ps_session *session, struct ArrowArrayStream *stream, ps_node **out, ps_error *err)
{
    struct ArrowSchema schema = {0};
    ps_batches batches = {0};
    const ps_type *type = NULL;
    ps_status rc;

    if (stream->get_schema(stream, &schema) != 0)
        return foreign_error(stream, err);
    PS_TRY_OR(done, ps_arrow_import_type(&schema, &type, err));
    if (type->kind != PS_STRUCT) {
        rc = ps_raise(err, PS_E_ARROW_ARRAY, "a table is a stream of struct arrays");
        goto done;
    }
    PS_TRY_OR(done, read_batches(stream, &schema, &batches, err));
    rc = psi_local_node(session, type, &batches, out, err);
done:
    if (schema.release)
        schema.release(&schema);
    ps_type_unref(type);
    ps_batches_clear(&batches);
    return rc;
}

/* arrow_in(session, capsule): the rows of a capsule "arrow_array_stream" as a bounded relation. */
static PyObject *arrow_in(PyObject *module, PyObject *args)
{
    psi_state *state = psi_state_of(module);
    struct ArrowArrayStream *stream;
    PyObject *session, *capsule;
    ps_node *node = NULL;
    ps_error err = {0};
    ps_status rc;

    if (!PyArg_ParseTuple(args, "O!O:arrow_in", state->session_type, &session, &capsule) ||
        !psi_alive(state, ((psi_session *)session)->epoch))
        return NULL;
    stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    if (!stream)
        return NULL;
    if (!stream->release) {
        PyErr_SetString(PyExc_ValueError, "this Arrow stream was read already");
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    rc = local_of_stream(((psi_session *)session)->session, stream, &node, &err);
    stream->release(stream);
    Py_END_ALLOW_THREADS
    return rc == PS_OK ? psi_plan_wrap(state, node) : psi_raise(&err);
}

PyMethodDef psi_arrow_functions[] = {
    {"arrow_out", arrow_out, METH_VARARGS, "arrow_out(session, plan): a capsule arrow_array_stream"},
    {"arrow_schema", arrow_schema, METH_VARARGS, "arrow_schema(schema, zone): a capsule arrow_schema"},
    {"arrow_in", arrow_in, METH_VARARGS, "arrow_in(session, capsule): the plan of an arrow_array_stream"},
    {NULL, NULL, 0, NULL},
};
