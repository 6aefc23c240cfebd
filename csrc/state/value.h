/*
 * state/value.h - any value as bytes, for what a slot cannot hold in a fixed place: nested keys,
 * maxima of structs, collected lists.
 *
 * The bytes of a value say their own length given the type.  `canonical` makes equal values equal
 * byte by byte: NaNs and zeros alike, maps sorted by key.
 */
#ifndef PS_STATE_VALUE_H
#define PS_STATE_VALUE_H
#include "col/build.h"

/* Appends row `row` (physical for a FLAT vector, logical for any shape), NULL included. */
ps_status ps_value_write(const ps_vec *vec, int64_t row, bool canonical, ps_bytes *out,
                         ps_error *err);
/* Reads one value into the builder and moves *bytes behind it; STATE_CORRUPT when the bytes are
 * none. */
ps_status ps_value_read(ps_slice *bytes, ps_builder *out, ps_error *err);
/* Moves *bytes behind one value of the type; false when the bytes are none. */
bool ps_value_skip(const ps_type *type, ps_slice *bytes);
#endif
