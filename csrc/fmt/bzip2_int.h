/*
 * fmt/bzip2_int.h - the system's bzip2 library, found when it is first needed: building needs nothing of it.
 */
#ifndef PS_FMT_BZIP2_INT_H
#define PS_FMT_BZIP2_INT_H
#include "base/status.h"

/* The stream of libbz2's stable interface. */
typedef struct psi_bz_stream {
    char *next_in;
    unsigned avail_in, total_in_lo32, total_in_hi32;
    char *next_out;
    unsigned avail_out, total_out_lo32, total_out_hi32;
    void *state;
    void *(*alloc)(void *, int, int);
    void (*free)(void *, void *);
    void *opaque;
} psi_bz_stream;

enum { PSI_BZ_RUN = 0, PSI_BZ_FINISH = 2 };
enum { PSI_BZ_OK = 0, PSI_BZ_RUN_OK = 1, PSI_BZ_FINISH_OK = 3, PSI_BZ_STREAM_END = 4 };

typedef struct psi_bzip2 {
    int (*compress_init)(psi_bz_stream *stream, int block_size, int verbosity, int work_factor);
    int (*compress)(psi_bz_stream *stream, int action);
    int (*compress_end)(psi_bz_stream *stream);
    int (*decompress_init)(psi_bz_stream *stream, int verbosity, int small);
    int (*decompress)(psi_bz_stream *stream);
    int (*decompress_end)(psi_bz_stream *stream);
} psi_bzip2;
/* NULL when the system has no bzip2.  @thread any */
const psi_bzip2 *psi_bzip2_get(void);
#endif
