/* expr/lit_text.c - literals as generated names show them: x, 1.0E10, DATE '2024-01-02', INTERVAL '10' MINUTE. */
#include "col/text.h"
#include "col/time.h"
#include "expr/bound.h"

const ps_zone *psi_conf_zone(const ps_conf *conf)
{
    const char *name = conf ? ps_conf_get(conf, "spark.sql.session.timeZone") : NULL;
    const ps_zone *zone = NULL;

    if (!name || ps_zone_find(name, &zone, NULL) != PS_OK)
        return ps_zone_utc();
    return zone;
}

static ps_status number_text(const ps_vec *value, ps_bytes *out, ps_error *err)
{
    char text[PS_NUMBER_TEXT + 16];
    const void *data = value->data;
    int n;

    switch (value->type->kind) {
    case PS_INT8:
        n = ps_format_int64(*(const int8_t *)data, text);
        break;
    case PS_INT16:
        n = ps_format_int64(*(const int16_t *)data, text);
        break;
    case PS_INT32:
        n = ps_format_int64(*(const int32_t *)data, text);
        break;
    case PS_INT64:
        n = ps_format_int64(*(const int64_t *)data, text);
        break;
    case PS_FLOAT:
        n = ps_format_float(*(const float *)data, text);
        break;
    case PS_DOUBLE:
        n = ps_format_double(*(const double *)data, text);
        break;
    default:
        return psi_decimal_name(*(const __int128 *)data, value->type->scale, out, err);
    }
    return ps_bytes_append(out, text, (size_t)n, err);
}

/* As BigDecimal.toString: an exponent when the value is below 1e-6. */
ps_status psi_decimal_name(__int128 unscaled, int scale, ps_bytes *out, ps_error *err)
{
    char digits[PS_NUMBER_TEXT];
    int n = ps_format_decimal(unscaled, 0, digits), first = unscaled < 0, n_digits = n - first;
    int exponent = n_digits - 1 - scale;

    if (exponent >= -6) {
        n = ps_format_decimal(unscaled, scale, digits);
        return ps_bytes_append(out, digits, (size_t)n, err);
    }
    PS_TRY(ps_bytes_append(out, digits, (size_t)first + 1, err));
    if (n_digits > 1)
        PS_TRY(ps_bytes_printf(out, err, ".%.*s", n_digits - 1, digits + first + 1));
    return ps_bytes_printf(out, err, "E%d", exponent);
}

static ps_status time_text(const ps_vec *value, const ps_conf *conf, ps_bytes *out, ps_error *err)
{
    char text[64];
    const char *word = "DATE";
    int n;

    if (value->type->kind == PS_DATE) {
        n = ps_format_date(*(const int32_t *)value->data, text);
    } else if (value->type->kind == PS_TIMESTAMP) {
        word = "TIMESTAMP";
        n = ps_format_timestamp(*(const int64_t *)value->data, psi_conf_zone(conf), text);
    } else {
        word = "TIMESTAMP_NTZ";
        n = ps_format_timestamp_ntz(*(const int64_t *)value->data, text);
    }
    return ps_bytes_printf(out, err, "%s '%.*s'", word, n, text);
}

static ps_status binary_text(const ps_str *s, ps_bytes *out, ps_error *err)
{
    const char *data = ps_str_data(s);

    PS_TRY(ps_bytes_text(out, "X'", err));
    for (uint32_t i = 0; i < s->n_bytes; i++)
        PS_TRY(ps_bytes_printf(out, err, "%02X", (unsigned char)data[i]));
    return ps_bytes_char(out, '\'', err);
}

ps_status psi_literal_text(const ps_vec *value, const ps_conf *conf, ps_bytes *out, ps_error *err)
{
    const ps_type *type = value->type;

    if (type->kind == PS_NULL || ps_vec_is_null(value, 0))
        return ps_bytes_text(out, "NULL", err);
    switch (type->kind) {
    case PS_BOOL:
        return ps_bytes_text(out, *(const uint8_t *)value->data ? "true" : "false", err);
    case PS_STRING: {
        ps_slice text = ps_str_slice(value->data);
        return ps_bytes_append(out, text.data, text.n_bytes, err);
    }
    case PS_BINARY:
        return binary_text(value->data, out, err);
    case PS_DATE:
    case PS_TIMESTAMP:
    case PS_TIMESTAMP_NTZ:
        return time_text(value, conf, out, err);
    case PS_DAYTIME:
        return ps_format_interval(type, *(const int64_t *)value->data, out, err);
    case PS_YEARMONTH:
        return ps_format_interval(type, *(const int32_t *)value->data, out, err);
    default:
        if (ps_kind_is_numeric(type->kind))
            return number_text(value, out, err);
        return ps_text_of_value(value, 0, psi_conf_zone(conf), out, err);
    }
}
