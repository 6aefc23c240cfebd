/*
 * fmt/bzip2.c - the system's bzip2 library by name.
 */
#include "fmt/bzip2_int.h"
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static psi_bzip2 functions;
static bool found;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static bool load(void *library, const char *name, void *out)
{
    void *symbol = dlsym(library, name);

    memcpy(out, &symbol, sizeof symbol);
    return symbol != NULL;
}

static void look(void)
{
    static const char *const names[] = {"libbz2.so.1.0", "libbz2.so.1", "libbz2.dylib"};
    void *library = NULL;

    for (size_t i = 0; !library && i < PS_COUNT_OF(names); i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    found = library && load(library, "BZ2_bzCompressInit", &functions.compress_init) &&
            load(library, "BZ2_bzCompress", &functions.compress) &&
            load(library, "BZ2_bzCompressEnd", &functions.compress_end) &&
            load(library, "BZ2_bzDecompressInit", &functions.decompress_init) &&
            load(library, "BZ2_bzDecompress", &functions.decompress) &&
            load(library, "BZ2_bzDecompressEnd", &functions.decompress_end);
}

const psi_bzip2 *psi_bzip2_get(void)
{
    pthread_once(&once, look);
    return found ? &functions : NULL;
}
