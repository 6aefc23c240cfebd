/*
 * col/type_int.h - what the readers and writers of types share.
 */
#ifndef PS_COL_TYPE_INT_H
#define PS_COL_TYPE_INT_H
#include "col/type.h"

extern const char *const psi_day_units[4], *const psi_year_units[2];
/* "long", "decimal(5,2)", "interval day": names in trees and in JSON. */
ps_status psi_type_atom_name(const ps_type *type, ps_bytes *out, ps_error *err);
#define PSI_TYPE_DEPTH 150 /* of types read from text */

/* Fields being collected, with types and names of their own. */
typedef struct psi_fields { ps_field *items; int n, capacity; } psi_fields;
/* Takes type, also when it fails; copies name and metadata (may be NULL). */
ps_status psi_fields_add(psi_fields *fields, ps_slice name, const ps_type *type, bool nullable, const char *metadata,
                         ps_error *err);
void psi_fields_clear(psi_fields *fields);
#endif
