/*
 * fmt/csv_scan.c - CSV records and tokens, cut as Spark's parser (uniVocity) cuts them.
 *
 * A quote counts only at the start of a field.  What follows a closing quote must be blank up to the separator;
 * otherwise the quote was not a closing one, and unescapedQuoteHandling decides.
 */
#include "fmt/csv_int.h"
#include "fmt/simd_int.h"

/* ---- places ---- */

static inline bool is_blank(char c)
{
    return (uint8_t)c <= ' ';
}

int psi_csv_line_end(const psi_csv *csv, const char *at)
{
    const psi_csv_options *opt = csv->opt;

    if (opt->line_sep.n_bytes > 0) {
        size_t n = opt->line_sep.n_bytes;
        return (size_t)(csv->end - at) >= n && memcmp(at, opt->line_sep.data, n) == 0 ? (int)n : 0;
    }
    if (*at == '\r')
        return at + 1 < csv->end && at[1] == '\n' ? 2 : 1;
    return *at == '\n';
}

static inline bool at_sep(const psi_csv *csv, const char *p)
{
    int n = csv->opt->n_sep;

    if (PS_LIKELY(n == 1))
        return *p == csv->opt->sep[0];
    return csv->end - p >= n && memcmp(p, csv->opt->sep, (size_t)n) == 0;
}

/* At the end of the field: the record's end, a line end that counts, or a separator. */
static inline bool at_field_end(const psi_csv *csv, const char *p)
{
    return p >= csv->end || at_sep(csv, p) || (csv->newlines && psi_csv_line_end(csv, p) > 0);
}

static const char *find_field_end_slowly(const psi_csv *csv, const char *p)
{
    while (!at_field_end(csv, p))
        p++;
    return p;
}

static inline const char *find_field_end(const psi_csv *csv, const char *p)
{
    if (PS_UNLIKELY(csv->newlines || csv->opt->n_sep > 1))
        return find_field_end_slowly(csv, p);
    for (; p < csv->end; p += 16) {
        uint32_t mask = psi_equal(psi_load(p), csv->opt->sep[0]);
        if (mask) {
            p += psi_first(mask);
            return p < csv->end ? p : csv->end;
        }
    }
    return csv->end;
}

/* ---- quoted fields ---- */

/* The token so far: a view from `start`, or copied once something had to be left out. */
typedef struct content {
    psi_csv *csv;
    const char *start; /* of what is not copied yet */
    bool copied;
} content;

static ps_status copy_to(content *c, const char *end, ps_error *err)
{
    c->copied = true;
    return ps_bytes_append(&c->csv->text, c->start, (size_t)(end - c->start), err);
}

/* Everything up to `end`, then one character instead of what stands from there to `after`. */
static ps_status replace(content *c, const char *end, char with, const char *after, ps_error *err)
{
    PS_TRY(copy_to(c, end, err));
    c->start = after;
    return ps_bytes_char(&c->csv->text, with, err);
}

static const char *find_special(const psi_csv *csv, const char *p)
{
    const psi_csv_options *opt = csv->opt;

    for (; p < csv->end; p += 16) {
        psi_block b = psi_load(p);
        uint32_t mask = psi_equal(b, opt->quote);

        if (opt->escape)
            mask |= psi_equal(b, opt->escape);
        if (opt->escape_escape)
            mask |= psi_equal(b, opt->escape_escape);
        if (mask) {
            p += psi_first(mask);
            return p < csv->end ? p : csv->end;
        }
    }
    return csv->end;
}

static ps_status finish(content *c, const char *end, psi_csv_token *token, ps_error *err)
{
    token->copied = c->copied;
    if (!c->copied) {
        token->text = (ps_slice){c->start, (size_t)(end - c->start)};
        return PS_OK;
    }
    PS_TRY(copy_to(c, end, err));
    token->text = ps_bytes_slice(&c->csv->text);
    return PS_OK;
}

/* A quote inside the field that is neither escaped nor the last: `after` follows it and the text before is in c. */
static ps_status unescaped(content *c, const char *opening, const char *quote_at, const char *after, psi_csv_token *token,
                           bool *go_on, ps_error *err)
{
    psi_csv *csv = c->csv;
    ps_bytes *text = &csv->text;
    const char *end;

    *go_on = false;
    switch (csv->opt->unescaped) {
    case PSI_TO_QUOTE:
        *go_on = true;
        return replace(c, quote_at, csv->opt->quote, after, err);
    case PSI_RAISE: return ps_raise(err, PS_E_CSV_RECORD, "unescaped quote character inside a quoted value");
    case PSI_SKIP_VALUE:
        token->null = true;
        csv->at = find_field_end_slowly(csv, after);
        return PS_OK;
    case PSI_BACK_TO_DELIMITER:
        end = find_field_end_slowly(csv, opening);
        token->text = (ps_slice){opening, (size_t)(end - opening)};
        csv->at = end;
        return PS_OK;
    default: /* the field as it stands, up to the separator */
        end = find_field_end_slowly(csv, after);
        PS_TRY(replace(c, quote_at, csv->opt->quote, after, err));
        PS_TRY(copy_to(c, end, err));
        PS_TRY(ps_bytes_char(text, csv->opt->quote, err)); /* room for the opening quote, which goes in front */
        memmove(text->data + 1, text->data, text->n_bytes - 1);
        text->data[0] = csv->opt->quote;
        token->text = ps_bytes_slice(text);
        token->copied = true;
        csv->at = end;
        while (csv->opt->trim_right && token->text.n_bytes > 0 && is_blank(token->text.data[token->text.n_bytes - 1]))
            token->text.n_bytes--;
        return PS_OK;
    }
}

/* At an escape character that is no quote: what it stands for. */
static ps_status escaped(content *c, const char **at, ps_error *err)
{
    const psi_csv_options *opt = c->csv->opt;
    const char *p = *at;
    char next = p + 1 < c->csv->end ? p[1] : '\0';

    *at = p + 1;
    if (p + 1 >= c->csv->end)
        return PS_OK;
    if (*p == opt->escape && next == opt->quote) {
        *at = p + 2;
        return replace(c, p, opt->quote, p + 2, err);
    }
    if (*p == opt->escape_escape && next == opt->escape) {
        *at = p + 2;
        return replace(c, p, opt->escape, p + 2, err);
    }
    return PS_OK;
}

/* At a run of quotes.  Those that stand for quotes go to c; *last is the quote that may close the field, or NULL. */
static ps_status quotes(content *c, const char **at, const char **last, ps_error *err)
{
    const psi_csv_options *opt = c->csv->opt;
    const char *p = *at, *after = p;
    int64_t n;

    while (after < c->csv->end && *after == opt->quote)
        after++;
    n = after - p;
    *at = after;
    *last = NULL;
    if (opt->escape != opt->quote) { /* each but the last stands for itself */
        *last = after - 1;
        return PS_OK;
    }
    for (int64_t i = 0; i + 1 < n; i += 2)
        PS_TRY(replace(c, p + i, opt->quote, p + i + 2, err));
    if (n % 2 == 1)
        *last = after - 1;
    return PS_OK;
}

/* At the opening quote. */
static ps_status quoted_field(psi_csv *csv, psi_csv_token *token, ps_error *err)
{
    const psi_csv_options *opt = csv->opt;
    const char *opening = csv->at, *p = opening + 1, *last, *after;
    content c = {csv, p, false};
    bool go_on = true;

    ps_bytes_reset(&csv->text);
    token->quoted = true;
    while (go_on) {
        p = find_special(csv, p);
        if (p >= csv->end) { /* never closed: the field goes up to the end */
            csv->at = csv->end;
            return finish(&c, csv->end, token, err);
        }
        if (*p != opt->quote) {
            PS_TRY(escaped(&c, &p, err));
            continue;
        }
        PS_TRY(quotes(&c, &p, &last, err));
        if (!last)
            continue;
        after = p;
        while (after < csv->end && is_blank(*after) && !at_field_end(csv, after))
            after++;
        if (at_field_end(csv, after)) {
            csv->at = after;
            return finish(&c, last, token, err);
        }
        PS_TRY(unescaped(&c, opening, last, p, token, &go_on, err));
    }
    return PS_OK;
}

/* ---- fields ---- */

static void plain_field(psi_csv *csv, psi_csv_token *token)
{
    const char *end = find_field_end(csv, csv->at);

    token->text = (ps_slice){csv->at, (size_t)(end - csv->at)};
    csv->at = end;
    while (csv->opt->trim_right && token->text.n_bytes > 0 && is_blank(token->text.data[token->text.n_bytes - 1]))
        token->text.n_bytes--;
}

ps_status psi_csv_field(psi_csv *csv, psi_csv_token *token, bool *more, ps_error *err)
{
    const psi_csv_options *opt = csv->opt;

    *token = (psi_csv_token){.text = {csv->at, 0}};
    while (opt->trim_left && csv->at < csv->end && is_blank(*csv->at) && !at_field_end(csv, csv->at))
        csv->at++;
    if (opt->quote && csv->at < csv->end && *csv->at == opt->quote)
        PS_TRY(quoted_field(csv, token, err));
    else
        plain_field(csv, token);
    if (PS_UNLIKELY(opt->max_chars >= 0 && token->text.n_bytes > (size_t)opt->max_chars))
        return ps_raise(err, PS_E_CSV_RECORD, "a value is longer than maxCharsPerColumn");
    *more = csv->at < csv->end && at_sep(csv, csv->at);
    if (*more)
        csv->at += opt->n_sep;
    return PS_OK;
}

/* ---- records ---- */

bool psi_csv_ignored(const psi_csv_options *opt, ps_slice line)
{
    size_t i = 0;

    if (line.n_bytes > 0 && opt->comment && line.data[0] == opt->comment)
        return true;
    while (i < line.n_bytes && is_blank(line.data[i]))
        i++;
    return i == line.n_bytes;
}

static const char *end_of_line(const psi_csv *csv, const char *p)
{
    while (p < csv->end && psi_csv_line_end(csv, p) == 0)
        p++;
    return p;
}

bool psi_csv_next_record(psi_csv *csv)
{
    while (csv->at < csv->end) {
        const char *end;
        int n = psi_csv_line_end(csv, csv->at);

        if (n > 0) { /* behind the record before, or an empty line */
            csv->at += n;
            continue;
        }
        if (!is_blank(*csv->at) && (!csv->opt->comment || *csv->at != csv->opt->comment))
            return true;
        end = end_of_line(csv, csv->at);
        if (!psi_csv_ignored(csv->opt, (ps_slice){csv->at, (size_t)(end - csv->at)}))
            return true;
        csv->at = end;
    }
    return false;
}

ps_status psi_csv_source_open(psi_csv_source *source, const psi_csv_options *opt, ps_fs *fs, const char *path, ps_error *err)
{
    source->loaded = false;
    source->csv.opt = opt;
    source->csv.newlines = opt->multi_line;
    return psi_input_open(&source->input, fs, path, opt->charset, err);
}

static ps_status next_line(psi_csv_source *source, bool *more, ps_error *err)
{
    ps_slice line;

    do {
        PS_TRY(psi_input_record(&source->input, source->csv.opt->line_sep, &line, more, err));
    } while (*more && psi_csv_ignored(source->csv.opt, line));
    source->csv.at = *more ? line.data : NULL;
    source->csv.end = *more ? line.data + line.n_bytes : NULL;
    return PS_OK;
}

ps_status psi_csv_source_next(psi_csv_source *source, bool *more, ps_error *err)
{
    ps_slice text;

    if (!source->csv.opt->multi_line)
        return next_line(source, more, err);
    if (!source->loaded) {
        PS_TRY(psi_input_all(&source->input, &text, err));
        source->csv.at = text.data;
        source->csv.end = text.data + text.n_bytes;
        source->loaded = true;
    }
    *more = psi_csv_next_record(&source->csv);
    return PS_OK;
}

void psi_csv_source_clear(psi_csv_source *source)
{
    psi_input_clear(&source->input);
    ps_bytes_clear(&source->csv.text);
}
