/*
 * op/op_int.h - the functions that the rows of ops.def name, and what operators share; for this folder only.
 */
#ifndef PS_OP_OP_INT_H
#define PS_OP_OP_INT_H
#include "op/op.h"

#define PSI_OP_BIND(name) ps_status name(const ps_args *args, ps_node **node, ps_error *err)
#define PSI_OP_FREE(name) void name(void *spec)
#define PSI_OP_NEEDS(name) ps_status name(const ps_node *node, const ps_ids *wanted, int input, ps_ids *out, ps_error *err)
#define PSI_OP_REMAKE(name) ps_status name(const ps_node *node, ps_node *const *inputs, const ps_ids *wanted, ps_node **out, ps_error *err)
#define PSI_OP_OPEN(name) ps_status name(const ps_node *node, ps_run *run, ps_op **out, ps_error *err)
#define PSI_OP_DESCRIBE(name) ps_status name(const ps_node *node, ps_bytes *out, ps_error *err)

PSI_OP_BIND(psi_local_bind);
PSI_OP_BIND(psi_range_bind);
PSI_OP_BIND(psi_table_bind);
PSI_OP_BIND(psi_scan_bind);
PSI_OP_BIND(psi_select_bind);
PSI_OP_BIND(psi_with_columns_bind);
PSI_OP_BIND(psi_drop_bind);
PSI_OP_BIND(psi_rename_bind);
PSI_OP_BIND(psi_to_df_bind);
PSI_OP_BIND(psi_alias_bind);
PSI_OP_BIND(psi_filter_bind);
PSI_OP_BIND(psi_watermark_bind);
PSI_OP_BIND(psi_aggregate_bind);
PSI_OP_BIND(psi_join_bind);
PSI_OP_BIND(psi_union_bind);
PSI_OP_BIND(psi_union_by_name_bind);
PSI_OP_BIND(psi_distinct_bind);
PSI_OP_BIND(psi_sort_bind);
PSI_OP_BIND(psi_limit_bind);
PSI_OP_BIND(psi_offset_bind);
PSI_OP_BIND(psi_dedup_bind);

PSI_OP_FREE(psi_local_free);
PSI_OP_FREE(psi_range_free);
PSI_OP_FREE(psi_table_free);
PSI_OP_FREE(psi_deferred_free);
PSI_OP_FREE(psi_scan_free);
PSI_OP_FREE(psi_project_free);
PSI_OP_FREE(psi_filter_free);
PSI_OP_FREE(psi_generate_free);
PSI_OP_FREE(psi_timewindow_free);
PSI_OP_FREE(psi_watermark_free);
PSI_OP_FREE(psi_aggregate_free);
PSI_OP_FREE(psi_join_free);
PSI_OP_FREE(psi_union_free);
PSI_OP_FREE(psi_sort_free);
PSI_OP_FREE(psi_limit_free);

PSI_OP_NEEDS(psi_project_needs);
PSI_OP_NEEDS(psi_filter_needs);
PSI_OP_NEEDS(psi_generate_needs);
PSI_OP_NEEDS(psi_timewindow_needs);
PSI_OP_NEEDS(psi_watermark_needs);
PSI_OP_NEEDS(psi_aggregate_needs);
PSI_OP_NEEDS(psi_join_needs);
PSI_OP_NEEDS(psi_union_needs);
PSI_OP_NEEDS(psi_sort_needs);

PSI_OP_REMAKE(psi_local_remake);
PSI_OP_REMAKE(psi_table_remake);
PSI_OP_REMAKE(psi_scan_remake);
PSI_OP_REMAKE(psi_project_remake);
PSI_OP_REMAKE(psi_filter_remake);
PSI_OP_REMAKE(psi_generate_remake);
PSI_OP_REMAKE(psi_timewindow_remake);
PSI_OP_REMAKE(psi_watermark_remake);
PSI_OP_REMAKE(psi_aggregate_remake);
PSI_OP_REMAKE(psi_join_remake);
PSI_OP_REMAKE(psi_union_remake);
PSI_OP_REMAKE(psi_sort_remake);
PSI_OP_REMAKE(psi_limit_remake);

PSI_OP_OPEN(psi_local_open);
PSI_OP_OPEN(psi_range_open);
PSI_OP_OPEN(psi_table_open);
PSI_OP_OPEN(psi_deferred_open);
PSI_OP_OPEN(psi_scan_open);
PSI_OP_OPEN(psi_project_open);
PSI_OP_OPEN(psi_filter_open);
PSI_OP_OPEN(psi_generate_open);
PSI_OP_OPEN(psi_timewindow_open);
PSI_OP_OPEN(psi_watermark_open);
PSI_OP_OPEN(psi_aggregate_open);
PSI_OP_OPEN(psi_join_open);
PSI_OP_OPEN(psi_union_open);
PSI_OP_OPEN(psi_sort_open);
PSI_OP_OPEN(psi_limit_open);

PSI_OP_DESCRIBE(psi_local_describe);
PSI_OP_DESCRIBE(psi_range_describe);
PSI_OP_DESCRIBE(psi_table_describe);
PSI_OP_DESCRIBE(psi_deferred_describe);
PSI_OP_DESCRIBE(psi_scan_describe);
PSI_OP_DESCRIBE(psi_project_describe);
PSI_OP_DESCRIBE(psi_filter_describe);
PSI_OP_DESCRIBE(psi_generate_describe);
PSI_OP_DESCRIBE(psi_timewindow_describe);
PSI_OP_DESCRIBE(psi_watermark_describe);
PSI_OP_DESCRIBE(psi_aggregate_describe);
PSI_OP_DESCRIBE(psi_join_describe);
PSI_OP_DESCRIBE(psi_union_describe);
PSI_OP_DESCRIBE(psi_sort_describe);
PSI_OP_DESCRIBE(psi_limit_describe);

/* node->out becomes a copy of an input's output. */
ps_status psi_node_pass_through(ps_node *node, ps_error *err);
/* Appends to node->out the attributes of `from` that are in `wanted`, hidden ones too. */
ps_status psi_node_add_wanted(ps_node *node, const ps_attrs *from, const ps_ids *wanted, ps_error *err);
/* The first visible attribute of this name; -1 when there is none. */
int psi_attrs_find_name(const ps_attrs *attrs, const char *name, const ps_conf *conf);
/* "name#id", parted by ", ". */
ps_status psi_attrs_text(const ps_attrs *attrs, ps_bytes *out, ps_error *err);
/* A run-state struct that begins with a ps_op: zeroed, with op.run and op.node set. */
ps_status psi_op_new(size_t size, const ps_op_vt *vt, const ps_node *node, ps_run *run, void *out, ps_error *err);
/* Binds the arguments of `name` (EXPRS) as a select list over the node's input. */
ps_status psi_bind_exprs(const ps_args *args, const ps_arg *arg, const ps_node *node, bool aggregates, ps_named_list *out, ps_error *err);
/* Attributes that a node's projections dropped but that can be reached again: hidden ones, and (deep) any. */
ps_status psi_node_missing(const ps_node *input, bool deep, ps_attrs *out, ps_error *err);
/* `input` made to give attributes `ids` too (from psi_node_missing), as hidden ones; a reference when it does already. */
ps_status psi_node_expose(ps_node *input, const ps_ids *ids, ps_node **out, ps_error *err);
/* parallel.c: may the chain below this operator run on several workers now, and do so. */
struct psi_workers;
bool psi_can_drive_parallel(const ps_op *op);
ps_status psi_drive_parallel(ps_op *op, ps_error *err);
void psi_workers_free(struct psi_workers *workers); /* accepts NULL */
/* The range that a scan reads in this micro-batch; NULL: none.  Borrowed. */
ps_scan *psi_scan_op_scan(const ps_op *op);
/* Reads one slice and emits its batches; for scan.c and parallel.c. */
ps_status psi_scan_op_slice(ps_op *op, ps_cursor *cursor, int64_t slice, ps_error *err);
/* Windows and generators inside a select list become nodes below: *input is exchanged, the list rewritten. */
ps_status psi_extract_windows(ps_node **input, ps_named_list *list, const ps_conf *conf, ps_error *err);
/* In a list bound over a timewindow node, its window() becomes its column; another one is an error. */
ps_status psi_swap_window(const ps_node *node, ps_named_list *list, ps_error *err);
ps_status psi_extract_generator(ps_node **input, ps_named_list *list, const ps_conf *conf, ps_error *err);
/* All columns, known under a subquery alias from here on. */
ps_status psi_project_alias(ps_node *input, const char *qualifier, ps_node **out, ps_error *err);
#endif
