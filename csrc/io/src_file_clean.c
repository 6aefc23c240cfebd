/*
 * io/src_file_clean.c - what becomes of files that are done with: archived, deleted, or left alone (B.8).
 */
#include "io/src_file_int.h"

/* Components of a path or pattern; texts are owned. */
static ps_status split_path(const char *path, psi_texts *out, ps_error *err)
{
    char *copy, *save = NULL;
    ps_status rc = PS_OK;

    PS_TRY(ps_strdup(path, &copy, err));
    for (char *part = strtok_r(copy, "/", &save); rc == PS_OK && part; part = strtok_r(NULL, "/", &save))
        rc = psi_texts_add(out, part, err);
    ps_free(copy);
    return rc;
}

/* Whether the first components of the archive, as many as both have, can be what the pattern's are. */
static ps_status may_match(const char *pattern, const char *archive, bool *out, ps_error *err)
{
    psi_texts of_pattern = {0}, of_archive = {0};
    ps_status rc;

    PS_TRY_OR(done, split_path(pattern, &of_pattern, err));
    PS_TRY_OR(done, split_path(archive, &of_archive, err));
    *out = true;
    for (int i = 0; *out && i < of_pattern.n && i < of_archive.n; i++)
        *out = psi_glob_match(of_pattern.items[i], of_archive.items[i]);
    rc = PS_OK;
done:
    psi_texts_clear(&of_pattern);
    psi_texts_clear(&of_archive);
    return rc;
}

ps_status psi_clean_check(const psi_files *files, const psi_stream_options *options, ps_fs *fs, ps_error *err)
{
    psi_texts patterns = {0};
    bool matches = false;
    ps_status rc;

    PS_UNUSED(fs);
    if (options->clean != PSI_CLEAN_ARCHIVE)
        return PS_OK;
    PS_TRY_OR(done, psi_glob_braces(files->paths.items[0], &patterns, err));
    for (int i = 0; !matches && i < patterns.n; i++)
        PS_TRY_OR(done, may_match(patterns.items[i], options->archive_dir, &matches, err));
    rc = matches ? ps_raise(err, PS_E_ARCHIVE_MATCHES, options->archive_dir, files->paths.items[0]) : PS_OK;
done:
    psi_texts_clear(&patterns);
    return rc;
}

/* A file is moved to <archive><its whole path>, directories made as needed. */
static ps_status archive_file(const psi_stream_options *options, ps_fs *fs, const char *path, ps_error *err)
{
    char *to = NULL, *dir = NULL;
    ps_status rc;

    PS_TRY_OR(done, ps_path_join(options->archive_dir, path, &to, err));
    PS_TRY_OR(done, psi_path_dir(to, &dir, err));
    PS_TRY_OR(done, ps_fs_make_dirs(fs, dir, err));
    rc = ps_fs_rename(fs, path, to, err);
done:
    ps_free(to);
    ps_free(dir);
    return rc;
}

void psi_clean_file(const psi_stream_options *options, ps_fs *fs, const char *path)
{
    ps_error ignored; /* a file that stays does no harm: it is known as taken */

    ignored.code = PS_OK;
    if (options->clean == PSI_CLEAN_DELETE)
        ps_fs_remove(fs, path, &ignored);
    else if (options->clean == PSI_CLEAN_ARCHIVE)
        archive_file(options, fs, path, &ignored);
}
