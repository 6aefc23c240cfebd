/*
 * kafka/module.c - the extension pystream._kafka: adds the Kafka connector to the engine when it is imported.
 *
 * It is linked to pystream._engine and to librdkafka, and has nothing to call from Python but the library's version.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "kafka/kafka_int.h"

static const ps_connector connector = {"kafka", psi_kafka_describe, psi_kafka_open_sink};

static int module_exec(PyObject *module)
{
    ps_connector_add(&connector);
    return PyModule_AddStringConstant(module, "librdkafka_version", rd_kafka_version_str());
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "pystream._kafka",
    .m_doc = "Kafka for the engine of pystream. Private: use format(\"kafka\").",
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__kafka(void) { return PyModuleDef_Init(&module); }
