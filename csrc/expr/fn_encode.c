/* expr/fn_encode.c - text in other encodings, URLs. */
#include "expr/fn_args.h"
#include "expr/fn_int.h"

/* --- charsets ---------------------------------------------------------------------------------------------------------------- */
typedef enum charset { NO_CHARSET, ASCII, LATIN1, UTF8, UTF16, UTF16BE, UTF16LE, UTF32 } charset;

static charset charset_of(ps_slice name)
{
    static const char *const names[] = {"us-ascii", "iso-8859-1", "utf-8", "utf-16", "utf-16be", "utf-16le", "utf-32"};

    for (size_t i = 0; i < PS_COUNT_OF(names); i++)
        if (ps_slice_equal_nocase(name, ps_slice_of(names[i])))
            return (charset)(i + 1);
    return NO_CHARSET;
}

static ps_status find_charset(ps_slice name, const char *function, charset *out, ps_error *err)
{
    char text[64];
    size_t n = name.n_bytes < sizeof text ? name.n_bytes : sizeof text - 1;

    *out = charset_of(name);
    if (*out != NO_CHARSET)
        return PS_OK;
    memcpy(text, name.data, n);
    text[n] = 0;
    return ps_raise(err, PS_E_CHARSET, function, text);
}

static ps_status put_unit(uint32_t unit, int n_bytes, bool big_endian, ps_bytes *out, ps_error *err)
{
    for (int i = 0; i < n_bytes; i++)
        PS_TRY(ps_bytes_char(out, (char)(unit >> 8 * (big_endian ? n_bytes - 1 - i : i)), err));
    return PS_OK;
}

static ps_status encode_code(uint32_t code, charset set, ps_bytes *out, ps_error *err)
{
    char bytes[4];

    switch (set) {
    case ASCII:
    case LATIN1:
        if (code >= (set == ASCII ? 0x80u : 0x100u))
            return ps_raise(err, PS_E_CHARACTER_CODING, "encode", set == ASCII ? "US-ASCII" : "ISO-8859-1");
        return ps_bytes_char(out, (char)code, err);
    case UTF8:
        return ps_bytes_append(out, bytes, ps_utf8_put(code, bytes), err);
    case UTF32:
        return put_unit(code, 4, true, out, err);
    default:
        if (code < 0x10000)
            return put_unit(code, 2, set != UTF16LE, out, err);
        PS_TRY(put_unit(0xd800 + ((code - 0x10000) >> 10), 2, set != UTF16LE, out, err));
        return put_unit(0xdc00 + ((code - 0x10000) & 0x3ff), 2, set != UTF16LE, out, err);
    }
}

PS_KERNEL_TEXT_2(encode_text, ps_str, ps_str)
{
    ps_slice text = ps_str_slice(&x);
    charset set;
    size_t n;

    PS_TRY(find_charset(ps_str_slice(&y), "encode", &set, err));
    if (set == UTF16)
        PS_TRY(put_unit(0xfeff, 2, true, out, err));
    for (size_t at = 0; at < text.n_bytes; at += n)
        PS_TRY(encode_code(ps_utf8_decode(text, at, &n), set, out, err));
    return PS_OK;
}

static uint32_t get_unit(const uint8_t *p, int n_bytes, bool big_endian)
{
    uint32_t unit = 0;

    for (int i = 0; i < n_bytes; i++)
        unit |= (uint32_t)p[i] << 8 * (big_endian ? n_bytes - 1 - i : i);
    return unit;
}

static ps_status malformed(charset set, ps_error *err)
{
    static const char *const names[] = {"", "US-ASCII", "ISO-8859-1", "UTF-8", "UTF-16", "UTF-16BE", "UTF-16LE", "UTF-32"};

    return ps_raise(err, PS_E_CHARACTER_CODING, "decode", names[set]);
}

/* The next character of bytes in a charset; at least one byte is left. */
static ps_status decode_code(ps_slice text, size_t *at, charset set, bool big_endian, uint32_t *code, ps_error *err)
{
    const uint8_t *p = (const uint8_t *)text.data + *at;
    size_t left = text.n_bytes - *at, n;
    int width = set <= LATIN1 ? 1 : set == UTF32 ? 4 : 2;

    if (set == UTF8) {
        *code = ps_utf8_decode(text, *at, &n);
        *at += n;
        return *code == 0xfffd && n == 1 ? malformed(set, err) : PS_OK;
    }
    if (left < (size_t)width)
        return malformed(set, err);
    *code = get_unit(p, width, big_endian);
    *at += (size_t)width;
    if (set >= UTF16 && set <= UTF16LE && *code >= 0xd800 && *code < 0xdc00) {
        uint32_t low = left >= 4 ? get_unit(p + 2, 2, big_endian) : 0;
        if (low < 0xdc00 || low >= 0xe000)
            return malformed(set, err);
        *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
        *at += 2;
    }
    return *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000) || (set == ASCII && *code > 0x7f) ? malformed(set, err) : PS_OK;
}

PS_KERNEL_TEXT_2(decode_bytes, ps_str, ps_str)
{
    ps_slice text = ps_str_slice(&x);
    bool big_endian = true;
    char bytes[4];
    charset set;
    size_t at = 0;
    uint32_t code = 0;

    PS_TRY(find_charset(ps_str_slice(&y), "decode", &set, err));
    if (set == UTF16LE)
        big_endian = false;
    if (set == UTF16 && text.n_bytes >= 2) { /* a mark tells the order, else the high byte is first */
        uint32_t mark = get_unit((const uint8_t *)text.data, 2, true);
        big_endian = mark != 0xfffe;
        at = mark == 0xfeff || mark == 0xfffe ? 2 : 0;
    }
    while (at < text.n_bytes) {
        PS_TRY(decode_code(text, &at, set, big_endian, &code, err));
        PS_TRY(ps_bytes_append(out, bytes, ps_utf8_put(code, bytes), err));
    }
    return PS_OK;
}

/* decode(bytes, charset); decode(value, search, result, ..., default) is a chain of comparisons where NULL equals NULL. */
ps_status psi_bind_decode(ps_fn_call *call, ps_error *err);
ps_status psi_bind_decode(ps_fn_call *call, ps_error *err)
{
    int places[64], n = 0;

    if (call->n_args == 2) {
        call->type = ps_type_of(PS_STRING);
        PS_TRY(ps_fn_cast_arg(call, 0, ps_type_of(PS_BINARY), err));
        return ps_fn_cast_arg(call, 1, ps_type_of(PS_STRING), err);
    }
    if (call->n_args < 2 || call->n_args > 64)
        return ps_raise(err, PS_E_WRONG_NUM_ARGS, call->name, "> 1", call->n_args);
    places[n++] = 0;
    for (int i = 1; i + 1 < call->n_args; i += 2)
        places[n++] = i;
    PS_TRY(psi_fn_share_type(call, places, n, 0, false, err));
    n = 0;
    for (int i = 2; i < call->n_args; i += 2)
        places[n++] = i;
    if (call->n_args % 2 == 0)
        places[n++] = call->n_args - 1;
    PS_TRY(psi_fn_share_type(call, places, n, 0, false, err));
    call->type = ps_type_ref(call->args[2]->type);
    call->nullable = true;
    return PS_OK;
}

static int chosen(const ps_fn_run *run, int64_t i)
{
    for (int k = 1; k + 1 < run->n_args; k += 2)
        if (ps_vec_equal_rows(run->args[0], i, run->args[k], i))
            return k + 1;
    return run->n_args % 2 == 0 ? run->n_args - 1 : -1;
}

PSI_KERNEL(decode_text)
{
    ps_builder *b;
    ps_status rc = PS_OK;

    if (run->n_args == 2)
        return psi_decode_bytes(run, result, err);
    PS_TRY(ps_build_new(run->type, run->rows->n, &b, err));
    PS_EACH_ROW(run->rows, i) {
        int k = chosen(run, i);
        PS_TRY_OR(done, k < 0 ? ps_build_null(b, err) : ps_build_from(b, run->args[k], i, err));
    }
done:
    return psi_kernel_built(run, b, rc, result, err);
}

PS_KERNEL_1(is_valid_utf8, ps_str, uint8_t)
{
    *out = ps_utf8_prefix(ps_str_data(&x), x.n_bytes) == x.n_bytes;
    return PS_OK;
}

/* --- URLs ------------------------------------------------------------------------------------------------------------------------ */
PS_KERNEL_TEXT_1(url_encode, ps_str)
{
    ps_slice text = ps_str_slice(&x);

    for (size_t i = 0; i < text.n_bytes; i++) {
        uint8_t c = (uint8_t)text.data[i];
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("-_.*", c)))
            PS_TRY(ps_bytes_char(out, (char)c, err));
        else if (c == ' ')
            PS_TRY(ps_bytes_char(out, '+', err));
        else
            PS_TRY(ps_bytes_printf(out, err, "%%%02X", c));
    }
    return PS_OK;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

PS_KERNEL_TEXT_1(url_decode, ps_str)
{
    ps_slice text = ps_str_slice(&x);

    for (size_t i = 0; i < text.n_bytes; i++) {
        char c = text.data[i];
        if (c == '%') {
            int high = i + 2 < text.n_bytes ? hex_digit(text.data[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text.data[i + 2]) : -1;
            if (low < 0) {
                *null = true;
                if (strncmp(run->node->fn->name, "try_", 4) == 0)
                    return PS_OK;
                return ps_raise(err, PS_E_URL_DECODE, (int)text.n_bytes, text.data);
            }
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        PS_TRY(ps_bytes_char(out, c, err));
    }
    return PS_OK;
}

/* scheme://user@host:port/path?query#ref, cut as java.net.URI does. */
typedef struct url { ps_slice scheme, authority, user, host, path, query, ref, file; } url;

static bool cut_at(ps_slice *text, const char *set, ps_slice *head)
{
    for (size_t i = 0; i < text->n_bytes; i++)
        if (strchr(set, text->data[i]) && text->data[i]) {
            *head = (ps_slice){text->data, i};
            *text = psi_slice_from(*text, i + 1, text->n_bytes);
            return true;
        }
    return false;
}

static void read_url(ps_slice text, url *out)
{
    ps_slice head, rest = text;

    *out = (url){0};
    if (cut_at(&rest, "#", &head)) {
        out->ref = rest;
        text = head;
    }
    rest = text;
    if (cut_at(&rest, ":/?", &head) && rest.data[-1] == ':')
        out->scheme = head;
    else
        rest = text;
    if (rest.n_bytes >= 2 && rest.data[0] == '/' && rest.data[1] == '/') {
        size_t end = 2;
        while (end < rest.n_bytes && rest.data[end] != '/' && rest.data[end] != '?')
            end++;
        out->authority = psi_slice_from(rest, 2, end);
        rest = psi_slice_from(rest, end, rest.n_bytes);
    }
    out->file = rest;
    out->path = rest;
    if (cut_at(&rest, "?", &head)) {
        out->path = head;
        out->query = rest;
    }
    out->host = out->authority;
    if (cut_at(&out->host, "@", &head))
        out->user = head;
    rest = out->host;
    if (rest.n_bytes > 0 && rest.data[0] != '[' && cut_at(&rest, ":", &head))
        out->host = head;
}

static ps_slice url_part(const url *u, ps_slice name)
{
    static const char *const names[] = {"PROTOCOL", "AUTHORITY", "USERINFO", "HOST", "PATH", "QUERY", "REF", "FILE"};
    const ps_slice parts[] = {u->scheme, u->authority, u->user, u->host, u->path, u->query, u->ref, u->file};

    for (size_t i = 0; i < PS_COUNT_OF(names); i++)
        if (ps_slice_equal(name, ps_slice_of(names[i])))
            return parts[i];
    return (ps_slice){NULL, 0};
}

/* The value of a key of the query; no data when it is not there. */
static ps_slice query_value(ps_slice query, ps_slice key)
{
    ps_slice pair, name;

    while (query.n_bytes > 0) {
        if (!cut_at(&query, "&", &pair)) {
            pair = query;
            query.n_bytes = 0;
        }
        if (cut_at(&pair, "=", &name) && ps_slice_equal(name, key))
            return pair;
    }
    return (ps_slice){NULL, 0};
}

PS_KERNEL_2(url_part, ps_str, ps_str, ps_str)
{
    ps_slice part;
    url u;

    read_url(ps_str_slice(&x), &u);
    part = url_part(&u, ps_str_slice(&y));
    *null = !part.data;
    *out = ps_str_make(part.data ? part.data : "", (uint32_t)part.n_bytes);
    return PS_OK;
}

PS_KERNEL_3(url_key, ps_str, ps_str, ps_str, ps_str)
{
    ps_slice part = {NULL, 0};
    url u;

    read_url(ps_str_slice(&x), &u);
    if (ps_slice_equal(ps_str_slice(&y), ps_slice_of("QUERY")))
        part = query_value(u.query, ps_str_slice(&z));
    *null = !part.data;
    *out = ps_str_make(part.data ? part.data : "", (uint32_t)part.n_bytes);
    return PS_OK;
}
PSI_KERNEL(parse_url) { return (run->n_args == 2 ? psi_url_part : psi_url_key)(run, result, err); }
