/*
 * io/connector.h - sources and sinks that come in a module of their own, loaded when a program first names them.
 *
 * The rows stand in sources.def and sinks.def like all others, so names, modes and checks are known without the module;
 * their functions (psi_connector_describe, psi_connector_open) find the connector of that name and hand the request on.
 * A module adds its connector when it is loaded; how a module is loaded, the host language knows.
 */
#ifndef PS_IO_CONNECTOR_H
#define PS_IO_CONNECTOR_H
#include "io/sink.h"
#include "io/source.h"

typedef struct ps_connector {
    const char *name; /* as in the tables: "kafka" */
    ps_status (*describe)(const ps_source_request *request, ps_source_info **out, ps_error *err);
    ps_status (*open)(const ps_sink_request *request, ps_sink **out, ps_error *err);
} ps_connector;

/* Keeps a connector for the life of the process; the second of a name is passed over.  @thread any */
void ps_connector_add(const ps_connector *connector);
/* `load` brings the module of a name, which adds its connector, or raises why it cannot.  Called with no lock held. */
void ps_connector_set_loader(ps_status (*load)(const char *name, ps_error *err));
#endif
