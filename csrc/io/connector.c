/*
 * io/connector.c - the connectors of loaded modules, by name.
 */
#include "io/connector.h"
#include "io/sink_int.h"
#include "io/source_int.h"

#define MAX_CONNECTORS 8

/* Written once each, in order; readers see a filled place or NULL. */
static _Atomic(const ps_connector *) connectors[MAX_CONNECTORS];
static ps_status (*_Atomic loader)(const char *name, ps_error *err);

static const ps_connector *find(const char *name)
{
    for (int i = 0; i < MAX_CONNECTORS; i++) {
        const ps_connector *connector = atomic_load(&connectors[i]);

        if (connector && ps_stricmp(connector->name, name) == 0)
            return connector;
    }
    return NULL;
}

void ps_connector_add(const ps_connector *connector)
{
    for (int i = 0; i < MAX_CONNECTORS; i++) {
        const ps_connector *none = NULL;

        if (atomic_compare_exchange_strong(&connectors[i], &none, connector) || ps_stricmp(none->name, connector->name) == 0)
            return;
    }
}

void ps_connector_set_loader(ps_status (*load)(const char *name, ps_error *err)) { atomic_store(&loader, load); }

static ps_status load(const char *name, const ps_connector **out, ps_error *err)
{
    ps_status (*bring)(const char *, ps_error *) = atomic_load(&loader);

    *out = find(name);
    if (!*out && bring)
        PS_TRY(bring(name, err));
    *out = find(name);
    return *out ? PS_OK : ps_raise(err, PS_E_CONNECTOR_MISSING, name, "no module brings it");
}

ps_status psi_connector_describe(const ps_source_request *request, ps_source_info **out, ps_error *err)
{
    const ps_connector *connector;

    *out = NULL;
    PS_TRY(load(request->format, &connector, err));
    return connector->describe(request, out, err);
}

ps_status psi_connector_open(const ps_sink_request *request, ps_sink **out, ps_error *err)
{
    const ps_connector *connector;

    *out = NULL;
    PS_TRY(load(request->format, &connector, err));
    return connector->open(request, out, err);
}
