/*
 * base/fs_int.h - the layout of a ps_fs, for fs.c (operations) and fs_tree.c (what is made of them).
 */
#ifndef PS_BASE_FS_INT_H
#define PS_BASE_FS_INT_H
#include "base/fs.h"

/* Names what failed with errno's reason; ENOENT raises PS_E_FILE_NOT_FOUND. */
ps_status psi_fs_raise(ps_error *err, const char *verb, const char *path);
/* Counts a mutation of a faulty fs; fails when its turn has come. */
ps_status psi_fs_mutation(ps_fs *fs, const char *verb, const char *path, ps_error *err);
/* The directory a path lies in ("/" for the root's own), owned by the caller. */
ps_status psi_path_parent(const char *path, char **out, ps_error *err);
/* rename that fails with PS_E_FILE_EXISTS where `to` exists. */
ps_status psi_fs_rename_new(ps_fs *fs, const char *from, const char *to, ps_error *err);
#endif
