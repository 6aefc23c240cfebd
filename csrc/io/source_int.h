/*
 * io/source_int.h - what the families of sources share.
 */
#ifndef PS_IO_SOURCE_INT_H
#define PS_IO_SOURCE_INT_H
#include "io/source.h"

ps_status psi_memory_describe(const ps_source_request *request, ps_source_info **out, ps_error *err);
ps_status psi_rate_describe(const ps_source_request *request, ps_source_info **out, ps_error *err);
ps_status psi_rate_batch_describe(const ps_source_request *request, ps_source_info **out, ps_error *err);
ps_status psi_socket_describe(const ps_source_request *request, ps_source_info **out, ps_error *err);
ps_status psi_file_describe(const ps_source_request *request, ps_source_info **out, ps_error *err);
ps_status psi_connector_describe(const ps_source_request *request, ps_source_info **out, ps_error *err);

/* DATA_SOURCE_NOT_FOUND, with the name that comes nearest. */
ps_status psi_not_found(const char *name, ps_error *err);
/* Sets the parts that every described source has; takes schema, also when it fails. */
ps_status psi_info_init(ps_source_info *info, const ps_source_info_vt *vt, const char *name, const ps_type *schema, ps_error *err);
/* A STRUCT of columns that are all nullable. */
ps_status psi_columns(const char *const *names, const ps_kind *kinds, int n, const ps_type **out, ps_error *err);
/* Raises _LEGACY_ERROR_TEMP_2242 when the user gave a schema. */
ps_status psi_refuse_schema(const ps_source_request *request, const char *provider, ps_error *err);
/* A whole number of an option, "For input string" when it is none. */
ps_status psi_option_long(const ps_options *options, const char *key, int64_t fallback, int64_t *out, ps_error *err);
/* The offset that is one integer; NULL: `none`. */
ps_status psi_offset_integer(const char *text, int64_t none, const char *source, int64_t *out, ps_error *err);
ps_status psi_integer_text(int64_t value, char **out, ps_error *err);
ps_status psi_integer_canonical(ps_source *source, const char *text, char **out, ps_error *err);

/* A scan of rows at hand, a slice per batch; takes the items of `list`. */
/* src_memory_mode.c: a block as the run mode of the tests wants it, added to `list`. */
ps_status psi_memory_mode_add(ps_batches *list, ps_batch *block, ps_error *err);
ps_status psi_batch_scan_new(ps_batches *list, ps_scan **out, ps_error *err);
#endif
