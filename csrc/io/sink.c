/*
 * io/sink.c - the table of sinks, output modes, and the rules of partitioned output.
 */
#include "io/sink_int.h"
#include "col/type_text.h"

#define NONE 0u
#define APPEND (1u << PS_APPEND)
#define ALL (1u << PS_APPEND | 1u << PS_UPDATE | 1u << PS_COMPLETE)
#define PS_SINK(name, streaming, batch, modes, needs, partition_by, open, missing)                                             \
    &(const ps_sink_row){name, streaming, batch, modes, needs, partition_by, open, missing},
static const ps_sink_row *const rows[] = {
#include "io/sinks.def"
};
#undef PS_SINK

static const char *const mode_names[] = {"append", "update", "complete"};

const ps_sink_row *ps_sink_find(ps_slice name)
{
    for (size_t i = 0; i < PS_COUNT_OF(rows); i++)
        if (ps_slice_equal_nocase(name, ps_slice_of(rows[i]->name)))
            return rows[i];
    return NULL;
}

bool ps_mode_parse(const char *text, ps_mode *out)
{
    for (size_t i = 0; i < PS_COUNT_OF(mode_names); i++) {
        if (ps_stricmp(text, mode_names[i]) == 0) {
            *out = (ps_mode)i;
            return true;
        }
    }
    return false;
}

const char *ps_mode_name(ps_mode mode) { return mode_names[mode]; }

static ps_status column_missing(const ps_type *schema, const char *name, ps_error *err)
{
    ps_bytes names = {0};
    ps_status rc = PS_OK;

    for (int i = 0; rc == PS_OK && i < schema->n_fields; i++)
        rc = ps_bytes_printf(&names, err, "%s%s", i ? ", " : "", schema->fields[i].name);
    if (rc == PS_OK)
        rc = ps_raise(err, PS_E_PARTITION_COLUMN_MISSING, name, names.data ? names.data : "");
    ps_bytes_clear(&names);
    return rc;
}

ps_status ps_sink_check_partitions(const ps_type *schema, const char *const *partition_by, int n, ps_error *err)
{
    for (int i = 0; i < n; i++) {
        int at = ps_type_field_index(schema, partition_by[i], false);
        if (at == -1)
            return column_missing(schema, partition_by[i], err);
        if (at >= 0 && ps_kind_is_nested(schema->fields[at].type->kind))
            return ps_raise(err, PS_E_PARTITION_COLUMN_TYPE, ps_type_name(schema->fields[at].type));
    }
    return n > 0 && n == schema->n_fields ? ps_raise(err, PS_E_ALL_PARTITION_COLUMNS) : PS_OK;
}
