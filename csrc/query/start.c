/*
 * query/start.c - from a request to a registered query: the checks of start(), in Spark's order (sources-sinks.md A.5).
 */
#include "base/hash.h"
#include "query/query_int.h"
#include <stdlib.h>

/* --- the sink ----------------------------------------------------------------------------------------------- */

static ps_status check_partition_columns(const ps_query *query, ps_error *err)
{
    const ps_type *schema;
    ps_status rc;

    if (query->n_partition_by == 0)
        return PS_OK;
    PS_TRY(ps_node_schema(query->plan, &schema, err));
    rc = ps_sink_check_partitions(schema, (const char *const *)query->partition_by, query->n_partition_by, err);
    ps_type_unref(schema);
    return rc;
}

static ps_status check_sink(ps_query *query, ps_error *err)
{
    const ps_sink_row *row = ps_sink_find(ps_slice_of(query->format));

    if (!row)
        return ps_raise(err, PS_E_DATA_SOURCE_NOT_FOUND, query->format);
    if (row->missing && !row->open)
        return ps_raise(err, PS_E_NOT_BUILT, row->missing);
    if (!row->streaming)
        return ps_raise(err, PS_E_NOT_STREAMED, query->format, "writing");
    query->sink_row = row;
    if (query->n_partition_by > 0 && !row->partition_by)
        return ps_raise(err, PS_E_SINK_PARTITIONED, query->format);
    if (strcmp(row->name, "memory") == 0 && !query->name)
        return ps_raise(err, PS_E_MEMORY_SINK_NAME);
    if (row->needs == PS_SINK_PATH && !ps_options_get(&query->options, "path"))
        return ps_raise(err, PS_E_SINK_PATH);
    if (!(row->modes & 1u << query->mode))
        return ps_raise(err, PS_E_SINK_MODE, ps_mode_name(query->mode), query->format);
    PS_TRY(check_partition_columns(query, err));
    return row->missing ? ps_raise(err, PS_E_NOT_BUILT, row->missing) : PS_OK;
}

/* --- the checkpoint ------------------------------------------------------------------------------------------- */

static ps_status temporary_dir(char **out, ps_error *err)
{
    const char *tmp = getenv("TMPDIR");
    char id[PS_QUERY_ID_SIZE];
    ps_bytes text = {0};

    ps_uuid_text(id);
    ps_status rc = ps_bytes_printf(&text, err, "%s/temporary-%s", tmp && *tmp ? tmp : "/tmp", id);
    if (rc == PS_OK)
        *out = ps_bytes_take(&text);
    ps_bytes_clear(&text);
    return rc;
}

static ps_status under_conf_root(const ps_query *query, const char *root, char **out, ps_error *err)
{
    char id[PS_QUERY_ID_SIZE], *dir = NULL;
    ps_status rc;

    ps_uuid_text(id);
    PS_TRY(ps_path_join(root, query->name ? query->name : id, &dir, err));
    rc = ps_path_from_uri(dir, out, err);
    ps_free(dir);
    return rc;
}

static ps_status resolve_checkpoint(ps_query *query, const ps_conf *conf, ps_error *err)
{
    const char *option = ps_options_get(&query->options, "checkpointLocation");
    const char *root = ps_conf_get(conf, "spark.sql.streaming.checkpointLocation");

    if (option)
        return ps_path_from_uri(option, &query->checkpoint, err);
    if (root && *root)
        return under_conf_root(query, root, &query->checkpoint, err);
    if (query->sink_row->needs != PS_SINK_NOTHING)
        return ps_raise(err, PS_E_CHECKPOINT_LOCATION);
    query->temporary = true;
    return temporary_dir(&query->checkpoint, err);
}

/* A memory sink starts empty, so only complete mode may go on from a checkpoint. */
static ps_status check_memory_resume(const ps_query *query, ps_fs *fs, ps_error *err)
{
    char *offsets = NULL;
    ps_file_info info;
    bool exists = false;
    ps_status rc;

    if (strcmp(query->sink_row->name, "memory") != 0 || query->mode == PS_COMPLETE)
        return PS_OK;
    PS_TRY(ps_path_join(query->checkpoint, "offsets", &offsets, err));
    rc = ps_fs_stat(fs, offsets, &info, &exists, err);
    if (rc == PS_OK && exists)
        rc = ps_raise(err, PS_E_MEMORY_SINK_RESUME, offsets);
    ps_free(offsets);
    return rc;
}

/* --- the query ---------------------------------------------------------------------------------------------------- */

static ps_status copy_request(ps_session *session, const ps_query_request *request, ps_query *query, ps_error *err)
{
    PS_TRY(ps_session_clone(session, true, &query->session, err));
    PS_TRY(psi_manager_of(session, &query->manager, err));
    PS_TRY(ps_strdup(request->format, &query->format, err));
    if (request->name)
        PS_TRY(ps_strdup(request->name, &query->name, err));
    if (!ps_mode_parse(request->mode ? request->mode : "append", &query->mode))
        return ps_raise(err, PS_E_OUTPUT_MODE, request->mode);
    PS_TRY(ps_options_copy(request->options, &query->options, err));
    PS_TRY(ps_alloc0((size_t)request->n_partition_by * sizeof *query->partition_by, &query->partition_by, err));
    for (; query->n_partition_by < request->n_partition_by; query->n_partition_by++)
        PS_TRY(ps_strdup(request->partition_by[query->n_partition_by], &query->partition_by[query->n_partition_by], err));
    query->trigger = request->trigger;
    query->callback = request->callback;
    query->event = request->event;
    query->event_self = request->event_self;
    return ps_plan_optimise(request->node, &query->plan, err);
}

static ps_status set_identity(ps_query *query, const ps_conf *conf, ps_error *err)
{
    bool verify = ps_conf_bool(conf, "spark.sql.streaming.checkpoint.verifyMetadataExists.enabled");
    bool sync = ps_conf_bool(conf, "pystream.checkpoint.sync");
    ps_bytes pretty = {0};

    PS_TRY(ps_meta_open(ps_session_fs(query->session), query->checkpoint, sync, verify, query->id, err));
    ps_uuid_text(query->run_id);
    ps_status rc = ps_bytes_printf(&pretty, err, "%s%s[id = %s, runId = %s]", query->name ? query->name : "", query->name ? " " : "", query->id, query->run_id);
    if (rc == PS_OK)
        query->pretty_id = ps_bytes_take(&pretty);
    ps_bytes_clear(&pretty);
    return rc;
}

/* The temporary view of a memory sink: the user's session sees it under the query's name. */
static ps_status make_table(ps_session *session, ps_query *query, ps_error *err)
{
    ps_arg arg = {.name = "table", .kind = PS_A_TABLE};
    ps_conf conf = {0};
    ps_args args = {&arg, 1, &conf};
    const ps_type *schema = NULL;
    ps_node *node = NULL;
    ps_status rc;

    if (strcmp(query->sink_row->name, "memory") != 0)
        return PS_OK;
    PS_TRY(ps_node_schema(query->plan, &schema, err));
    rc = ps_memory_table_new(schema, &query->table, err);
    ps_type_unref(schema);
    PS_TRY(rc);
    arg.table = query->table;
    PS_TRY(ps_node_make("table", NULL, 0, &args, &node, err));
    rc = ps_session_view_set(session, query->name, node, true, err);
    ps_node_unref(node);
    return rc;
}

static ps_status start(ps_session *session, const ps_query_request *request, const ps_conf *conf, ps_query *query, ps_error *err)
{
    PS_TRY(copy_request(session, request, query, err));
    PS_TRY(check_sink(query, err));
    PS_TRY(resolve_checkpoint(query, conf, err));
    PS_TRY(check_memory_resume(query, ps_session_fs(session), err));
    PS_TRY(ps_plan_check_streaming(request->node, query->mode, conf, err));
    PS_TRY(set_identity(query, conf, err));
    PS_TRY(psi_manager_add(query->manager, query, ps_conf_bool(conf, "spark.sql.streaming.stopActiveRunOnRestart"), err));
    PS_TRY(ps_meta_lock(ps_session_fs(session), query->checkpoint, &query->lock_file, err));
    return make_table(session, query, err);
}

ps_status ps_query_start(ps_session *session, const ps_query_request *request, ps_query **out, ps_error *err)
{
    ps_query *query = NULL;
    ps_conf conf = {0};
    ps_status rc;

    *out = NULL;
    if (request->trigger.kind == PS_TRIGGER_CONTINUOUS)
        return ps_raise(err, PS_E_NOT_BUILT, "the continuous trigger");
    PS_TRY(ps_alloc0(sizeof *query, &query, err));
    ps_refs_init(&query->refs);
    ps_lock_init(&query->lock, PS_RANK_QUERY);
    ps_cond_init(&query->cond);
    rc = ps_session_conf(session, &conf, err);
    if (rc == PS_OK)
        rc = start(session, request, &conf, query, err);
    ps_conf_clear(&conf);
    if (rc != PS_OK) {
        if (query->manager)
            psi_manager_drop(query->manager, query);
        ps_query_unref(query);
        return rc;
    }
    *out = query;
    return PS_OK;
}
