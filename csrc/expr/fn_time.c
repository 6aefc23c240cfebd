/* expr/fn_time.c - fields of dates and timestamps, calendar arithmetic, truncation. */
#include "expr/fn_time.h"

#include "expr/fn_args.h"
#include <stdio.h>

/* Of the sign of b, without the product that a floor would need: timestamps may lie at the ends of their range. */
static int64_t floor_mod(int64_t a, int64_t b)
{
    int64_t rest = a % b;

    return rest < 0 ? rest + b : rest;
}

/* --- units ------------------------------------------------------------------------------------------------------------- */
static const struct {
    const char *word;
    psi_unit unit;
} unit_words[] = {
    {"year", PSI_YEAR}, {"yyyy", PSI_YEAR}, {"yy", PSI_YEAR}, {"quarter", PSI_QUARTER}, {"month", PSI_MONTH}, {"mm", PSI_MONTH},
    {"mon", PSI_MONTH}, {"week", PSI_WEEK}, {"day", PSI_DAY}, {"dd", PSI_DAY}, {"hour", PSI_HOUR}, {"minute", PSI_MINUTE},
    {"second", PSI_SECOND}, {"millisecond", PSI_MILLISECOND}, {"microsecond", PSI_MICROSECOND},
};

psi_unit psi_unit_of(ps_slice word)
{
    for (size_t i = 0; i < PS_COUNT_OF(unit_words); i++)
        if (ps_slice_equal_nocase(word, ps_slice_of(unit_words[i].word)))
            return unit_words[i].unit;
    return PSI_NO_UNIT;
}

int psi_iso_weekday(int64_t days)
{
    int64_t n = (days + 3) % 7; /* 1970-01-01 was a Thursday */

    return (int)(n < 0 ? n + 7 : n) + 1;
}

/* The Thursday of a day's week tells the year and number of the week. */
static int64_t iso_week(int64_t days, int64_t *year)
{
    int64_t thursday = days - psi_iso_weekday(days) + 4;
    ps_civil civil;

    ps_civil_from_days(thursday, &civil);
    *year = civil.year;
    return (thursday - ps_days_from_civil(civil.year, 1, 1)) / 7 + 1;
}

int32_t psi_date_field(int64_t days, psi_field field)
{
    ps_civil civil;
    int64_t year;

    if (field == PSI_F_DAYOFWEEK)
        return psi_iso_weekday(days) % 7 + 1;
    if (field == PSI_F_WEEKDAY)
        return psi_iso_weekday(days) - 1;
    if (field == PSI_F_ISO_WEEKDAY)
        return psi_iso_weekday(days);
    if (field == PSI_F_WEEK)
        return (int32_t)iso_week(days, &year);
    if (field == PSI_F_YEAROFWEEK)
        return (iso_week(days, &year), (int32_t)year);
    ps_civil_from_days(days, &civil);
    switch (field) {
    case PSI_F_YEAR:
        return (int32_t)civil.year;
    case PSI_F_QUARTER:
        return (civil.month - 1) / 3 + 1;
    case PSI_F_MONTH:
        return civil.month;
    case PSI_F_DAYOFYEAR:
        return (int32_t)(days - ps_days_from_civil(civil.year, 1, 1)) + 1;
    default:
        return civil.day;
    }
}

#define DATE_FIELD(name, field)                                                                    \
    PS_KERNEL_1(name, int32_t, int32_t)                                                            \
    {                                                                                              \
        *out = psi_date_field(x, field);                                                           \
        return PS_OK;                                                                              \
    }
DATE_FIELD(year, PSI_F_YEAR)
DATE_FIELD(quarter, PSI_F_QUARTER)
DATE_FIELD(month, PSI_F_MONTH)
DATE_FIELD(day, PSI_F_DAY)
DATE_FIELD(dayofyear, PSI_F_DAYOFYEAR)
DATE_FIELD(dayofweek, PSI_F_DAYOFWEEK)
DATE_FIELD(weekday, PSI_F_WEEKDAY)
DATE_FIELD(weekofyear, PSI_F_WEEK)

PS_KERNEL_1(dayname, int32_t, ps_str)
{
    static const char names[] = "MonTueWedThuFriSatSun";

    *out = ps_str_make(names + 3 * (psi_iso_weekday(x) - 1), 3);
    return PS_OK;
}

PS_KERNEL_1(monthname, int32_t, ps_str)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    *out = ps_str_make(names + 3 * (psi_date_field(x, PSI_F_MONTH) - 1), 3);
    return PS_OK;
}

/* Microseconds of the local day; a TIMESTAMP_NTZ is local already. */
static int64_t time_of_day(const ps_fn_run *run, int arg, int64_t us)
{
    if (run->args[arg]->type->kind == PS_TIMESTAMP)
        us = psi_local_us(run->env->zone, us);
    return floor_mod(us, PS_US_DAY);
}

PS_KERNEL_1(hour, int64_t, int32_t)
{
    *out = (int32_t)(time_of_day(run, 0, x) / (3600 * PS_US_SECOND));
    return PS_OK;
}

PS_KERNEL_1(minute, int64_t, int32_t)
{
    *out = (int32_t)(time_of_day(run, 0, x) / (60 * PS_US_SECOND) % 60);
    return PS_OK;
}

PS_KERNEL_1(second, int64_t, int32_t)
{
    *out = (int32_t)(time_of_day(run, 0, x) / PS_US_SECOND % 60);
    return PS_OK;
}

/* --- extract(field FROM source) ------------------------------------------------------------------------------------------- */
static const struct {
    const char *words; /* each with a blank before and behind */
    psi_field field;
} field_words[] = {
    {" year y years yr yrs ", PSI_F_YEAR},
    {" quarter qtr ", PSI_F_QUARTER},
    {" month mon mons months ", PSI_F_MONTH},
    {" week w weeks ", PSI_F_WEEK},
    {" yearofweek ", PSI_F_YEAROFWEEK},
    {" day d days ", PSI_F_DAY},
    {" dayofweek dow ", PSI_F_DAYOFWEEK},
    {" dayofweek_iso dow_iso ", PSI_F_ISO_WEEKDAY},
    {" doy ", PSI_F_DAYOFYEAR},
    {" hour h hours hr hrs ", PSI_F_HOUR},
    {" minute m min mins minutes ", PSI_F_MINUTE},
    {" second s sec seconds secs ", PSI_F_SECOND},
};

static bool field_of(const char *word, psi_field *out)
{
    char wanted[32];
    size_t n = strlen(word);

    if (n + 3 > sizeof wanted)
        return false;
    wanted[0] = wanted[n + 1] = ' ';
    wanted[n + 2] = 0;
    for (size_t i = 0; i < n; i++)
        wanted[i + 1] = (char)(word[i] >= 'A' && word[i] <= 'Z' ? word[i] + 32 : word[i]);
    for (size_t i = 0; n > 0 && i < PS_COUNT_OF(field_words); i++)
        if (strstr(field_words[i].words, wanted)) {
            *out = field_words[i].field;
            return true;
        }
    return false;
}

/* An interval has the fields from its first unit to its last; only the first may be large. */
static ps_status bind_interval_field(ps_fn_call *call, psi_field field, ps_error *err)
{
    static const psi_field daytime[] = {PSI_F_DAY, PSI_F_HOUR, PSI_F_MINUTE, PSI_F_SECOND}, yearmonth[] = {PSI_F_YEAR, PSI_F_MONTH};
    const ps_type *type = call->args[1]->type;
    const psi_field *fields = type->kind == PS_DAYTIME ? daytime : yearmonth;

    for (int unit = type->unit_from; unit <= type->unit_to; unit++) {
        if (fields[unit] != field)
            continue;
        if (field == PSI_F_SECOND)
            return ps_type_decimal(8, 6, &call->type, err);
        call->type = ps_type_of(unit == 0 ? PS_INT32 : PS_INT8);
        return PS_OK;
    }
    return ps_raise(err, PS_E_EXTRACT_TIME_FIELD, call->args[0]->text ? call->args[0]->text : "",
                    call->args[1]->text ? call->args[1]->text : "");
}

ps_status psi_bind_extract(ps_fn_call *call, ps_error *err);
ps_status psi_bind_extract(ps_fn_call *call, ps_error *err)
{
    psi_field field = PSI_F_YEAR;
    char *word = NULL;
    psi_field *data;
    ps_status rc;

    PS_TRY(ps_fn_constant_text(call, 0, &word, err));
    if (word && !field_of(word, &field)) {
        char name[32];
        snprintf(name, sizeof name, "%s", word);
        ps_free(word);
        return ps_raise(err, PS_E_EXTRACT_TIME_FIELD, name, call->args[1]->text ? call->args[1]->text : "");
    }
    ps_free(word);
    PS_TRY(ps_alloc(sizeof *data, &data, err));
    *data = field;
    call->data = data;
    if (call->args[1]->type->kind == PS_DAYTIME || call->args[1]->type->kind == PS_YEARMONTH)
        return bind_interval_field(call, field, err);
    if (field < PSI_F_HOUR) {
        call->type = ps_type_of(PS_INT32);
        return ps_fn_cast_arg(call, 1, ps_type_of(PS_DATE), err);
    }
    rc = field == PSI_F_SECOND ? ps_type_decimal(8, 6, &call->type, err) : (call->type = ps_type_of(PS_INT32), PS_OK);
    if (rc == PS_OK && call->args[1]->type->kind != PS_TIMESTAMP_NTZ)
        rc = ps_fn_cast_arg(call, 1, ps_type_of(PS_TIMESTAMP), err);
    return rc;
}

void psi_free_extract(void *data);
void psi_free_extract(void *data) { ps_free(data); }

ps_status psi_text_extract(const ps_fn_call *call, ps_bytes *out, ps_error *err);
ps_status psi_text_extract(const ps_fn_call *call, ps_bytes *out, ps_error *err)
{
    const char *field = call->args[0]->text ? call->args[0]->text : "", *source = call->args[1]->text ? call->args[1]->text : "";

    return ps_bytes_printf(out, err, strcmp(call->name, "date_part") == 0 ? "%s(%s, %s)" : "%s(%s FROM %s)", call->name, field, source);
}

PS_KERNEL_2(extract_date, ps_str, int32_t, int32_t)
{
    *out = psi_date_field(y, *(const psi_field *)run->node->fn_data);
    return PS_OK;
}

PS_KERNEL_2(extract_time, ps_str, int64_t, int32_t)
{
    int64_t us = time_of_day(run, 1, y);

    *out = (int32_t)(*(const psi_field *)run->node->fn_data == PSI_F_HOUR ? us / (3600 * PS_US_SECOND) : us / (60 * PS_US_SECOND) % 60);
    return PS_OK;
}

PS_KERNEL_2(extract_second, ps_str, int64_t, __int128)
{
    *out = time_of_day(run, 1, y) % (60 * PS_US_SECOND);
    return PS_OK;
}

PS_KERNEL_2(extract_days, ps_str, int64_t, int32_t)
{
    *out = (int32_t)(y / PS_US_DAY);
    return PS_OK;
}

PS_KERNEL_2(extract_small, ps_str, int64_t, int8_t)
{
    bool hour = *(const psi_field *)run->node->fn_data == PSI_F_HOUR;

    *out = (int8_t)(hour ? y / (3600 * PS_US_SECOND) % 24 : y / (60 * PS_US_SECOND) % 60);
    return PS_OK;
}

PS_KERNEL_2(extract_seconds, ps_str, int64_t, __int128)
{
    *out = y % (60 * PS_US_SECOND);
    return PS_OK;
}

PS_KERNEL_2(extract_years, ps_str, int32_t, int32_t)
{
    *out = y / 12;
    return PS_OK;
}

PS_KERNEL_2(extract_months, ps_str, int32_t, int8_t)
{
    *out = (int8_t)(y % 12);
    return PS_OK;
}

static ps_fn_kernel interval_kernel(ps_kind kind, psi_field field)
{
    if (kind == PS_YEARMONTH)
        return field == PSI_F_YEAR ? psi_extract_years : psi_extract_months;
    return field == PSI_F_DAY ? psi_extract_days : field == PSI_F_SECOND ? psi_extract_seconds : psi_extract_small;
}

ps_status psi_extract(ps_fn_run *run, ps_vec **out, ps_error *err);
ps_status psi_extract(ps_fn_run *run, ps_vec **out, ps_error *err)
{
    psi_field field = *(const psi_field *)run->node->fn_data;
    ps_kind kind = run->args[1]->type->kind;

    if (kind == PS_DAYTIME || kind == PS_YEARMONTH)
        return interval_kernel(kind, field)(run, out, err);
    return (field < PSI_F_HOUR ? psi_extract_date : field == PSI_F_SECOND ? psi_extract_second : psi_extract_time)(run, out, err);
}

/* --- calendar arithmetic --------------------------------------------------------------------------------------------------- */
PS_KERNEL_2(date_add, int32_t, int32_t, int32_t)
{
    *out = (int32_t)((uint32_t)x + (uint32_t)y);
    return PS_OK;
}

PS_KERNEL_2(date_sub, int32_t, int32_t, int32_t)
{
    *out = (int32_t)((uint32_t)x - (uint32_t)y);
    return PS_OK;
}

PS_KERNEL_2(datediff, int32_t, int32_t, int32_t)
{
    *out = (int32_t)((uint32_t)x - (uint32_t)y);
    return PS_OK;
}

PS_KERNEL_2(add_months, int32_t, int32_t, int32_t)
{
    *out = (int32_t)ps_add_months_days(x, y);
    return PS_OK;
}

PS_KERNEL_1(last_day, int32_t, int32_t)
{
    ps_civil civil;

    ps_civil_from_days(x, &civil);
    *out = x + ps_days_in_month(civil.year, civil.month) - civil.day;
    return PS_OK;
}

/* 1 for MO, MON or MONDAY, in any case; 0 for what is no day. */
static int weekday_of(ps_slice word)
{
    static const char *const days[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

    for (int i = 0; i < 7; i++)
        if ((word.n_bytes == 2 || word.n_bytes == 3 || word.n_bytes == strlen(days[i])) &&
            ps_slice_equal_nocase(word, (ps_slice){days[i], word.n_bytes}))
            return i + 1;
    return 0;
}

PS_KERNEL_2(next_day, int32_t, ps_str, int32_t)
{
    int wanted = weekday_of(ps_str_slice(&y));

    *out = x;
    if (wanted == 0) {
        *null = true;
        return run->env->ansi ? ps_raise(err, PS_E_ILLEGAL_DAY_OF_WEEK, (int)y.n_bytes, ps_str_data(&y)) : PS_OK;
    }
    *out = x + (wanted - psi_iso_weekday(x) + 6) % 7 + 1;
    return PS_OK;
}

/* Months between two instants: whole when both are the same day of the month or both its last; else 31 days a month. */
PS_KERNEL_3(months_between, int64_t, int64_t, uint8_t, double)
{
    int64_t us[2] = {psi_local_us(run->env->zone, x), psi_local_us(run->env->zone, y)};
    ps_civil a, b;
    double months;

    ps_civil_from_us(us[0], &a);
    ps_civil_from_us(us[1], &b);
    months = (double)((a.year - b.year) * 12 + a.month - b.month);
    if (a.day != b.day && !(a.day == ps_days_in_month(a.year, a.month) && b.day == ps_days_in_month(b.year, b.month))) {
        int64_t of_day[2];
        for (int i = 0; i < 2; i++)
            of_day[i] = floor_mod(us[i], PS_US_DAY) / PS_US_SECOND;
        months += (double)((a.day - b.day) * 86400 + of_day[0] - of_day[1]) / (31 * 86400.0);
    }
    if (z) {
        double scaled = __builtin_floor(__builtin_fabs(months) * 1e8 + 0.5) / 1e8;
        months = months < 0 ? -scaled : scaled;
    }
    *out = months;
    return PS_OK;
}

/* --- truncation ------------------------------------------------------------------------------------------------------------- */
static int64_t truncate_days(int64_t days, psi_unit unit)
{
    ps_civil civil;

    if (unit == PSI_WEEK)
        return days - psi_iso_weekday(days) + 1;
    if (unit >= PSI_DAY)
        return days;
    ps_civil_from_days(days, &civil);
    return ps_days_from_civil(civil.year, unit == PSI_YEAR ? 1 : unit == PSI_QUARTER ? (civil.month - 1) / 3 * 3 + 1 : civil.month, 1);
}

/* The unit of a row; a constant one was looked up before (run_with_unit). */
static psi_unit unit_at(const ps_fn_run *run, const ps_str *word)
{
    return run->scratch ? *(const psi_unit *)run->scratch : psi_unit_of(ps_str_slice(word));
}

static ps_status run_with_unit(const ps_fn_run *run, int arg, ps_fn_kernel kernel, ps_vec **out, ps_error *err)
{
    ps_fn_run with_unit = *run;
    psi_unit unit;
    ps_slice word;

    if (psi_arg_is_constant(run, arg) && psi_arg_text(run, arg, &word)) {
        unit = psi_unit_of(word);
        with_unit.scratch = &unit;
    }
    return kernel(&with_unit, out, err);
}

PS_KERNEL_2(trunc_date, int32_t, ps_str, int32_t)
{
    psi_unit unit = unit_at(run, &y);

    *null = unit == PSI_NO_UNIT || unit >= PSI_DAY;
    *out = *null ? 0 : (int32_t)truncate_days(x, unit);
    return PS_OK;
}

/* Wrapping, as Java does, for times at the ends of their range. */
static int64_t below(int64_t us, int64_t by) { return (int64_t)((uint64_t)us - (uint64_t)by); }
static int64_t start_of(int64_t days) { return (int64_t)((uint64_t)days * (uint64_t)PS_US_DAY); }

static int64_t truncate_time(const ps_zone *zone, int64_t us, psi_unit unit)
{
    static const int64_t sizes[] = {[PSI_HOUR] = 3600 * PS_US_SECOND, [PSI_MINUTE] = 60 * PS_US_SECOND,
                                    [PSI_SECOND] = PS_US_SECOND, [PSI_MILLISECOND] = 1000, [PSI_MICROSECOND] = 1};
    int64_t local;

    if (unit >= PSI_SECOND)
        return below(us, floor_mod(us, sizes[unit]));
    local = psi_local_us(zone, us);
    if (unit >= PSI_HOUR)
        return below(us, floor_mod(local, sizes[unit])); /* never over a change of the clock */
    return ps_zone_to_utc(zone, start_of(truncate_days(ps_floor_div(local, PS_US_DAY), unit)));
}

PS_KERNEL_2(trunc_time, ps_str, int64_t, int64_t)
{
    psi_unit unit = unit_at(run, &x);

    *null = unit == PSI_NO_UNIT;
    *out = *null ? 0 : truncate_time(run->env->zone, y, unit);
    return PS_OK;
}
PSI_KERNEL(trunc) { return run_with_unit(run, 1, psi_trunc_date, result, err); }
PSI_KERNEL(date_trunc) { return run_with_unit(run, 0, psi_trunc_time, result, err); }

/* --- timestampadd and timestampdiff ------------------------------------------------------------------------------------------- */
static int64_t add_local_months(const ps_zone *zone, int64_t us, int64_t months)
{
    int64_t local = psi_local_us(zone, us), days = ps_floor_div(local, PS_US_DAY);

    return ps_zone_to_utc(zone, (int64_t)((uint64_t)start_of(ps_add_months_days(days, months)) + (uint64_t)floor_mod(local, PS_US_DAY)));
}

static const int64_t exact_us[] = {[PSI_HOUR] = 3600 * PS_US_SECOND, [PSI_MINUTE] = 60 * PS_US_SECOND, [PSI_SECOND] = PS_US_SECOND,
                                   [PSI_MILLISECOND] = 1000, [PSI_MICROSECOND] = 1};
static const int months_of[] = {[PSI_YEAR] = 12, [PSI_QUARTER] = 3, [PSI_MONTH] = 1};

#define CALENDAR_LIMIT 10000000 /* days and months: beyond what a TIMESTAMP can hold, below what overflows */

PS_KERNEL_3(add_units, ps_str, int64_t, int64_t, int64_t)
{
    const ps_zone *zone = run->type->kind == PS_TIMESTAMP ? run->env->zone : ps_zone_utc();
    psi_unit unit = unit_at(run, &x);
    int64_t by;

    *null = unit == PSI_NO_UNIT;
    *out = z;
    if (*null)
        return PS_OK;
    if (unit <= PSI_DAY && (y > CALENDAR_LIMIT || y < -CALENDAR_LIMIT))
        return ps_raise(err, PS_E_DATETIME_OVERFLOW, "timestampadd");
    if (unit <= PSI_MONTH) {
        *out = add_local_months(zone, z, y * months_of[unit]);
    } else if (unit <= PSI_DAY) {
        int64_t local = psi_local_us(zone, z);
        *out = ps_zone_to_utc(zone, local + y * (unit == PSI_WEEK ? 7 : 1) * PS_US_DAY);
    } else if (__builtin_mul_overflow(y, exact_us[unit], &by) || __builtin_add_overflow(z, by, out)) {
        return ps_raise(err, PS_E_DATETIME_OVERFLOW, "timestampadd");
    }
    return PS_OK;
}

/* Whole months from a to b; the last one counts when its day and time are reached. */
static int64_t whole_months(int64_t a, int64_t b)
{
    ps_civil from, to;
    int64_t months, in_month[2];

    ps_civil_from_us(a, &from);
    ps_civil_from_us(b, &to);
    months = (to.year - from.year) * 12 + to.month - from.month;
    in_month[0] = from.day * PS_US_DAY + floor_mod(a, PS_US_DAY);
    in_month[1] = to.day * PS_US_DAY + floor_mod(b, PS_US_DAY);
    if (months > 0 && in_month[1] < in_month[0])
        months--;
    if (months < 0 && in_month[1] > in_month[0])
        months++;
    return months;
}

PS_KERNEL_3(count_units, ps_str, int64_t, int64_t, int64_t)
{
    psi_unit unit = unit_at(run, &x);
    int64_t from = psi_local_us(run->env->zone, y), to = psi_local_us(run->env->zone, z);

    *null = unit == PSI_NO_UNIT;
    if (*null)
        *out = 0;
    else if (unit <= PSI_MONTH)
        *out = whole_months(from, to) / months_of[unit];
    else if (unit <= PSI_DAY)
        *out = (to - from) / ((unit == PSI_WEEK ? 7 : 1) * PS_US_DAY);
    else
        *out = (z - y) / exact_us[unit];
    return PS_OK;
}
PSI_KERNEL(timestampadd) { return run_with_unit(run, 0, psi_add_units, result, err); }
PSI_KERNEL(timestampdiff) { return run_with_unit(run, 0, psi_count_units, result, err); }
