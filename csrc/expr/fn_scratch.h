/*
 * expr/fn_scratch.h - what core functions keep from batch to batch: the rows of fn_core.def give their sizes.
 */
#ifndef PS_EXPR_FN_SCRATCH_H
#define PS_EXPR_FN_SCRATCH_H
#include "col/vec.h"

/* A long list of literals of IN, hashed once. */
typedef struct psi_in_set {
    ps_vec *values;
    uint64_t *hashes;
    int32_t *slots; /* place in values + 1; 0: free */
    int64_t n_slots;
    bool has_null;
} psi_in_set;

/* A pattern of LIKE as code points and wildcards. */
typedef struct psi_like_pattern {
    uint32_t *items;
    int n, capacity;
    bool ready;
    /* A pattern of plain text with % at its ends at most: found as bytes. */
    bool plain, open_start, open_end;
    ps_bytes literal;
} psi_like_pattern;
#endif
