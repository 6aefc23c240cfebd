/*
 * expr/digest.h - MD5 and the SHA family, for the functions of those names.
 */
#ifndef PS_EXPR_DIGEST_H
#define PS_EXPR_DIGEST_H
#include "base/bytes.h"

#define PSI_DIGEST_MAX 64
/* Each writes the digest and returns its length. */
int psi_digest_md5(ps_slice data, uint8_t out[PSI_DIGEST_MAX]);
int psi_digest_sha1(ps_slice data, uint8_t out[PSI_DIGEST_MAX]);
int psi_digest_sha256(ps_slice data, bool sha224, uint8_t out[PSI_DIGEST_MAX]);
int psi_digest_sha512(ps_slice data, bool sha384, uint8_t out[PSI_DIGEST_MAX]);
#endif
