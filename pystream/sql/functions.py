"""Functions that make Columns.

Most are made from the engine's table of functions when they are first asked for: name, parameters and documentation
come from its rows.  Those with a shape of their own are written here.
"""
from __future__ import annotations

import functools as _functools

from pystream import _native
from pystream.errors import PySparkTypeError, PySparkValueError, _not_implemented, _wrong_type
from pystream.sql.column import Column, _column_expr, _literal, _of

# Bits of ps_fn_flags (csrc/expr/function.h).
_OPERATOR, _WINDOW_ONLY = 32, 4096

#: Parameters for which a str is a text, not the name of a column.
_TEXT_PARAMETERS = {
    "array_append": "value", "array_contains": "value", "array_insert": "value", "array_join": "delimiter null_replacement",
    "array_position": "value", "array_prepend": "value", "array_remove": "element", "array_repeat": "count",
    "assert_true": "errMsg", "concat_ws": "sep", "conv": "fromBase toBase", "date_format": "format", "date_trunc": "format",
    "decode": "charset", "element_at": "extraction", "encode": "charset", "format_number": "d", "format_string": "format",
    "from_unixtime": "format", "from_utc_timestamp": "tz", "get_json_object": "path", "instr": "substr",
    "json_tuple": "fields", "lag": "default", "lead": "default", "levenshtein": "threshold", "listagg": "delimiter",
    "listagg_distinct": "delimiter", "locate": "substr", "lpad": "pad", "map_contains_key": "value",
    "months_between": "roundOff", "next_day": "dayOfWeek", "percentile_approx": "percentage accuracy",
    "printf": "format", "raise_error": "errMsg", "regexp_extract": "pattern", "regexp_replace": "pattern replacement",
    "rpad": "pad", "schema_of_csv": "csv", "schema_of_json": "json", "schema_of_xml": "xml", "split": "pattern limit",
    "string_agg": "delimiter", "string_agg_distinct": "delimiter", "substring_index": "delim", "timestamp_add": "unit",
    "timestamp_diff": "unit", "to_csv": "options", "to_date": "format", "to_json": "options", "to_timestamp": "format",
    "to_utc_timestamp": "tz", "translate": "matching replace", "trunc": "format", "try_element_at": "",
    "try_to_binary": "", "try_to_timestamp": "", "unix_timestamp": "format",
}
#: Names that pystream.sql.functions has beside those of the table.
_RENAMED = {
    "approxCountDistinct": "approx_count_distinct", "bitwiseNOT": "~", "bitwise_not": "~", "create_map": "map",
    "negate": "negative", "shiftLeft": "shiftleft", "shiftRight": "shiftright",
    "shiftRightUnsigned": "shiftrightunsigned", "toDegrees": "degrees", "toRadians": "radians", "pow": "power",
    "column": "col", "mean": "avg", "array_agg": "collect_list",
}


#: Names of SQL that pyspark's module has not: F.expr() and F.call_function() reach them.
_SQL_ONLY = frozenset(
    "any bigint binary boolean cast date decimal div double float getarrayfield getarrayitem getfield getitem getmapvalue "
    "if in int len luhn_check map mod not or and smallint space string timestamp tinyint try_cast between approx_top_k "
    "percentile_cont percentile_disc timestampadd timestampdiff case extractansiintervaldays".split())


def _call(name: str, *args, **flags) -> Column:
    return _of(_native.call(name, list(args), **flags))


def _flatten(cols):
    return list(cols[0]) if len(cols) == 1 and isinstance(cols[0], (list, set, tuple)) else list(cols)


# -- the beginnings ---------------------------------------------------------------------------------------------------

def col(col: str) -> Column:
    """A column by its name, which may be dotted.

    Examples
    --------
    >>> col("a.b")
    Column<'a.b'>
    """
    if not isinstance(col, str):
        raise _wrong_type("col", "str", col)
    return _of(_native.name(col))


column = col


def lit(col) -> Column:
    """A constant.

    Examples
    --------
    >>> lit("x")
    Column<''x''>
    >>> spark.range(1).select(lit(1.5).alias("x")).collect()
    [Row(x=1.5)]
    """
    if isinstance(col, Column):
        return col
    if isinstance(col, list) and any(isinstance(item, Column) for item in col):
        raise PySparkValueError(errorClass="COLUMN_IN_LIST", messageParameters={"func_name": "lit"})
    return _of(_literal(col))


def expr(str: str) -> Column:
    """A SQL expression.

    Examples
    --------
    >>> spark.range(2).select(expr("id * 2 AS twice")).collect()
    [Row(twice=0), Row(twice=2)]
    """
    return _of(_native.parse_expr(str))


def when(condition: Column, value) -> Column:
    """The first case of a chain; `Column.when` adds cases, `Column.otherwise` ends it.

    Examples
    --------
    >>> spark.range(2).select(when(col("id") == 0, "none").otherwise("some").alias("n")).collect()
    [Row(n='none'), Row(n='some')]
    """
    if not isinstance(condition, Column):
        raise _wrong_type("condition", "Column", condition)
    return _call("case", condition._expr, _literal(value), operator=True)


def broadcast(df):
    """The DataFrame itself: every join builds on one side in memory."""
    from pystream.sql.dataframe import DataFrame
    if not isinstance(df, DataFrame):
        raise _wrong_type("df", "DataFrame", df)
    return df


def call_function(funcName: str, *cols) -> Column:
    """Any function of SQL, by its name."""
    return _call(funcName, *(_column_expr(item) for item in _flatten(cols)))


def call_udf(udfName: str, *cols) -> Column:
    """A registered function of the user, by its name."""
    return call_function(udfName, *cols)


# -- order --------------------------------------------------------------------------------------------------------------

def _as_column(value, name: str = "col") -> Column:
    return value if isinstance(value, Column) else _of(_column_expr(value, name))


def asc(col) -> Column:
    """Ascending, NULL first."""
    return _as_column(col).asc()


def desc(col) -> Column:
    """Descending, NULL last."""
    return _as_column(col).desc()


def asc_nulls_first(col) -> Column:
    """Ascending, NULL first."""
    return _as_column(col).asc_nulls_first()


def asc_nulls_last(col) -> Column:
    """Ascending, NULL last."""
    return _as_column(col).asc_nulls_last()


def desc_nulls_first(col) -> Column:
    """Descending, NULL first."""
    return _as_column(col).desc_nulls_first()


def desc_nulls_last(col) -> Column:
    """Descending, NULL last."""
    return _as_column(col).desc_nulls_last()


# -- time windows -------------------------------------------------------------------------------------------------------

def window(timeColumn, windowDuration: str, slideDuration: str | None = None, startTime: str | None = None) -> Column:
    """The time window that a timestamp falls into, to group by; sliding windows overlap.

    Parameters
    ----------
    timeColumn : Column or str
    windowDuration : str
        How long a window is, such as ``"10 minutes"``.
    slideDuration : str, optional
        How far apart windows begin; `windowDuration` when absent.
    startTime : str, optional
        The offset of the windows from 1970-01-01 00:00:00 UTC.

    Examples
    --------
    >>> import datetime
    >>> df = spark.createDataFrame([(datetime.datetime(2024, 1, 1, 12, 7), 1)], "t timestamp, v int")
    >>> df.groupBy(window("t", "10 minutes")).count().select("window.start", "count").collect()
    [Row(start=datetime.datetime(2024, 1, 1, 12, 0), count=1)]
    """
    for name, value in (("windowDuration", windowDuration), ("slideDuration", slideDuration), ("startTime", startTime)):
        if not (value and isinstance(value, str)) and (value is not None or name == "windowDuration"):
            raise _wrong_type(name, "str", value)
    args = [_column_expr(timeColumn, "timeColumn"), _native.literal(windowDuration)]
    if slideDuration or startTime:
        args.append(_native.literal(slideDuration or windowDuration))
    if startTime:
        args.append(_native.literal(startTime))
    return _call("window", *args)


def session_window(timeColumn, gapDuration) -> Column:
    """The session that a timestamp belongs to: times less than a gap apart are one session."""
    if not isinstance(gapDuration, (str, Column)):
        raise _wrong_type("gapDuration", "Column or str", gapDuration)
    return _call("session_window", _column_expr(timeColumn, "timeColumn"), _literal(gapDuration))


def window_time(windowColumn) -> Column:
    """The last instant of a window."""
    return _call("window_time", _column_expr(windowColumn, "windowColumn"))


def _trimming(name: str, doc: str):
    def function(col, trim=None) -> Column:
        characters = [] if trim is None else [_column_expr(trim, "trim")]
        return _call(name, *characters, _column_expr(col, "col"))  # SQL's order: trim(characters, text)
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


trim = _trimming("trim", "Text without blanks, or the characters of `trim`, at both ends.")
ltrim = _trimming("ltrim", "Text without blanks, or the characters of `trim`, at its start.")
rtrim = _trimming("rtrim", "Text without blanks, or the characters of `trim`, at its end.")


# -- aggregates with a shape of their own ---------------------------------------------------------------------------------

def count_distinct(col, *cols) -> Column:
    """The number of distinct values.

    Examples
    --------
    >>> spark.createDataFrame([(1,), (1,), (2,)], "a int").select(count_distinct("a").alias("n")).collect()
    [Row(n=2)]
    """
    return _call("count", *(_column_expr(item) for item in (col, *cols)), distinct=True)


countDistinct = count_distinct


def sum_distinct(col) -> Column:
    """The sum of the distinct values."""
    return _call("sum", _column_expr(col), distinct=True)


sumDistinct = sum_distinct


def listagg_distinct(col, delimiter=None) -> Column:
    """The distinct values as one text."""
    return _call("listagg", _column_expr(col), *([] if delimiter is None else [_literal(delimiter)]), distinct=True)


string_agg_distinct = listagg_distinct


def _with_nulls_rule(name: str, doc: str):
    def function(col, ignorenulls: bool = False) -> Column:
        return _call(name, _column_expr(col), ignore_nulls=bool(ignorenulls))
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


first = _with_nulls_rule("first", "The first value of a group; `ignorenulls` skips NULL.")
last = _with_nulls_rule("last", "The last value of a group; `ignorenulls` skips NULL.")


def first_value(col, ignoreNulls=None) -> Column:
    """The first value of a group."""
    return _call("first_value", _column_expr(col), ignore_nulls=bool(ignoreNulls))


def last_value(col, ignoreNulls=None) -> Column:
    """The last value of a group."""
    return _call("last_value", _column_expr(col), ignore_nulls=bool(ignoreNulls))


def any_value(col, ignoreNulls=None) -> Column:
    """Some value of a group."""
    return _call("any_value", _column_expr(col), ignore_nulls=bool(ignoreNulls))


def nth_value(col, offset: int, ignoreNulls: bool = False) -> Column:
    """The nth value of a window."""
    return _call("nth_value", _column_expr(col), _literal(offset), ignore_nulls=bool(ignoreNulls))


def percentile(col, percentage, frequency=1) -> Column:
    """The exact value at a share, or a list of shares, of the ordered values."""
    return _call("percentile", _column_expr(col), _shares(percentage), _literal(frequency))


def percentile_approx(col, percentage, accuracy=10000) -> Column:
    """The approximate value at a share, or a list of shares, of the ordered values."""
    return _call("percentile_approx", _column_expr(col), _shares(percentage), _literal(accuracy))


approx_percentile = percentile_approx


def _shares(percentage):
    if isinstance(percentage, (list, tuple)):
        return _native.call("array", [_literal(item) for item in percentage])
    return _literal(percentage)


# -- values made of others ------------------------------------------------------------------------------------------------

def _of_columns(name: str, doc: str, engine_name: str | None = None):
    def function(*cols) -> Column:
        return _call(engine_name or name, *(_column_expr(item) for item in _flatten(cols)))
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


struct = _of_columns("struct", "A struct of these columns.")
array = _of_columns("array", "An array of these columns.")
create_map = _of_columns("create_map", "A map of keys and values, in turn.", "map")
map_concat = _of_columns("map_concat", "One map of several.")
named_struct = _of_columns("named_struct", "A struct of names and values, in turn.")


def log(arg1, arg2=None) -> Column:
    """The natural logarithm of `arg1`; with two arguments the logarithm of `arg2` to the base `arg1`."""
    if arg2 is None:
        return _call("ln", _column_expr(arg1))
    return _call("log", _literal(arg1), _column_expr(arg2))


def _power_like(name: str, engine_name: str, doc: str):
    def function(col1, col2) -> Column:
        return _call(engine_name, *(_literal(item) if isinstance(item, (int, float)) else _column_expr(item)
                                    for item in (col1, col2)))
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


pow = _power_like("pow", "power", "`col1` to the power of `col2`.")
power = _power_like("power", "power", "`col1` to the power of `col2`.")
atan2 = _power_like("atan2", "atan2", "The angle of the point (`col2`, `col1`).")
hypot = _power_like("hypot", "hypot", "The distance from the origin, without overflow.")
pmod = _power_like("pmod", "pmod", "The remainder that has the sign of the divisor.")


def locate(substr: str, str, pos: int = 1) -> Column:
    """Where a text is found in another, from a position on; 0 when it is not."""
    return _call("locate", _native.literal(substr), _column_expr(str, "str"), _literal(pos))


def substring(str, pos, len) -> Column:
    """A part of a text or of bytes, by 1-based position and length."""
    return _call("substring", _column_expr(str, "str"), _number(pos), _number(len))


def _number(value):
    return _literal(value) if isinstance(value, int) else _column_expr(value)


def date_add(start, days) -> Column:
    """The date so many days later."""
    return _call("date_add", _column_expr(start), _number(days))


dateadd = date_add


def _options_expr(options):
    """A dict of options as a map of texts."""
    pairs = []
    for key, value in (options or {}).items():
        value = {True: "true", False: "false"}[value] if isinstance(value, bool) else f"{value}"
        pairs += [_native.literal(key), _native.literal(value)]
    return [_native.call("map", pairs)] if pairs else []


def _schema_expr(schema):
    from pystream.sql.types import DataType
    if isinstance(schema, DataType):
        return _native.literal(schema.json())
    if isinstance(schema, Column):
        return schema._expr
    if isinstance(schema, str):
        return _native.literal(schema)
    raise _wrong_type("schema", "Column, DataType or str", schema)


def from_json(col, schema, options: dict | None = None) -> Column:
    """JSON text as a value of a schema.

    Examples
    --------
    >>> df = spark.createDataFrame([('{"a": 1}',)], "value string")
    >>> df.select(from_json("value", "a INT").alias("v")).select("v.a").collect()
    [Row(a=1)]
    """
    return _call("from_json", _column_expr(col), _schema_expr(schema), *_options_expr(options))


def to_json(col, options: dict | None = None) -> Column:
    """A struct, array or map as JSON text."""
    return _call("to_json", _column_expr(col), *_options_expr(options))


def from_csv(col, schema, options: dict | None = None) -> Column:
    """CSV text as a struct."""
    return _call("from_csv", _column_expr(col), _schema_expr(schema), *_options_expr(options))


def to_csv(col, options: dict | None = None) -> Column:
    """A struct as CSV text."""
    return _call("to_csv", _column_expr(col), *_options_expr(options))


def schema_of_json(json, options: dict | None = None) -> Column:
    """The schema of a JSON text, as DDL."""
    return _call("schema_of_json", _literal(json), *_options_expr(options))


# -- functions of functions -------------------------------------------------------------------------------------------------

_lambda_count = 0


def _lambda(function, name: str):
    """A Python function of Columns as a lambda."""
    global _lambda_count
    import inspect
    parameters = inspect.signature(function).parameters
    if not 1 <= len(parameters) <= 3 or any(p.kind not in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
                                            for p in parameters.values()):
        raise PySparkValueError(f"{name}: a function of one to three positional parameters is wanted")
    names = []
    for word in ("x", "y", "z")[:len(parameters)]:
        _lambda_count += 1
        names.append(f"{word}_{_lambda_count}")
    result = function(*(_of(_native.whole_name(word)) for word in names))
    if not isinstance(result, Column):
        raise PySparkValueError(
            errorClass="HIGHER_ORDER_FUNCTION_SHOULD_RETURN_COLUMN",
            messageParameters={"func_name": getattr(function, "__name__", "f"), "return_type": type(result).__name__})
    return _native.lambda_(result._expr, names)


def transform(col, f) -> Column:
    """Every element of an array, changed by a function.

    Examples
    --------
    >>> df = spark.createDataFrame([([1, 2],)], "a array<int>")
    >>> df.select(transform("a", lambda x: x * 2).alias("b")).collect()
    [Row(b=[2, 4])]
    """
    return _call("transform", _column_expr(col), _lambda(f, "transform"))


def filter(col, f) -> Column:
    """The elements of an array for which a function is true."""
    return _call("filter", _column_expr(col), _lambda(f, "filter"))


def exists(col, f) -> Column:
    """Is a function true for some element."""
    return _call("exists", _column_expr(col), _lambda(f, "exists"))


def forall(col, f) -> Column:
    """Is a function true for all elements."""
    return _call("forall", _column_expr(col), _lambda(f, "forall"))


def aggregate(col, initialValue, merge, finish=None) -> Column:
    """The elements of an array folded into one value."""
    args = [_column_expr(col), _column_expr(initialValue), _lambda(merge, "aggregate")]
    return _call("aggregate", *args, *([] if finish is None else [_lambda(finish, "aggregate")]))


reduce = aggregate


def zip_with(left, right, f) -> Column:
    """Two arrays as one, element by element."""
    return _call("zip_with", _column_expr(left), _column_expr(right), _lambda(f, "zip_with"))


def transform_keys(col, f) -> Column:
    """A map with its keys changed."""
    return _call("transform_keys", _column_expr(col), _lambda(f, "transform_keys"))


def transform_values(col, f) -> Column:
    """A map with its values changed."""
    return _call("transform_values", _column_expr(col), _lambda(f, "transform_values"))


def map_filter(col, f) -> Column:
    """The entries of a map for which a function is true."""
    return _call("map_filter", _column_expr(col), _lambda(f, "map_filter"))


def map_zip_with(col1, col2, f) -> Column:
    """Two maps as one, key by key."""
    return _call("map_zip_with", _column_expr(col1), _column_expr(col2), _lambda(f, "map_zip_with"))


def array_sort(col, comparator=None) -> Column:
    """An array in order, NULL last; `comparator` tells the order of two elements."""
    return _call("array_sort", _column_expr(col), *([] if comparator is None else [_lambda(comparator, "array_sort")]))


# -- functions of the user ----------------------------------------------------------------------------------------------------

def udf(f=None, returnType=None, *, useArrow=None):
    """A function of the user: not part of this version."""
    raise _not_implemented("udf")


def pandas_udf(f=None, returnType=None, functionType=None):
    """A vectorised function of the user: not part of this version."""
    raise _not_implemented("pandas_udf")


def udtf(cls=None, *, returnType=None, useArrow=None):
    """A table function of the user: not part of this version."""
    raise _not_implemented("udtf")


# -- functions of the table ---------------------------------------------------------------------------------------------------

@_functools.cache
def _rows() -> dict:
    return {row[0]: row for row in _native.functions()}


def _parameters(text: str):
    """[(name, default text or None, is star)] of a row's parameters."""
    found = []
    for part in (text or "").split(","):
        name, _, default = part.strip().partition("=")
        if name:
            found.append((name.strip().lstrip("*"), default.strip() or None, name.strip().startswith("*")))
    return found


def _make(name: str):
    """A function from its row."""
    row = _rows()[_RENAMED.get(name, name)]
    engine_name, _, params, _, example, doc = row
    texts = set(_TEXT_PARAMETERS.get(engine_name, "").split())
    listed = _parameters(params)
    head = ", ".join(f"*{word}" if star else word + (f"={default}" if default else "") for word, default, star in listed)
    lines = [f"def {name}({head}):", "    args = []"]
    for word, default, star in listed:
        make = "_text" if word in texts else "_value"
        if star:
            lines.append(f"    args += [{make}(item, {word!r}) for item in _flatten({word})]")
        elif default == "None":
            lines.append(f"    if {word} is not None: args.append({make}({word}, {word!r}))")
        else:
            lines.append(f"    args.append({make}({word}, {word!r}))")
    lines.append(f"    return _call({engine_name!r}, *args)")
    scope: dict = {}
    exec("\n".join(lines), globals(), scope)  # the text is made of the engine's own table
    function = scope[name]
    function.__doc__ = f"{doc}\n\n{'SQL: ``' + example + '``' if example else ''}".rstrip()
    function.__module__ = __name__
    return function


def _value(value, name: str):
    """An argument that may be a column, its name, or a constant that is no text."""
    if isinstance(value, (Column, str)):
        return _column_expr(value, name)
    if value is None or isinstance(value, (dict, tuple, set)):
        raise _wrong_type(name, "Column or str", value)
    return _literal(value)


def _text(value, name: str):
    return _literal(value)


def _is_listed(name: str) -> bool:
    return (name.isidentifier() and name in _rows() and not _rows()[name][1] & _OPERATOR and name not in _SQL_ONLY)


#: Names of pyspark's module that there is nothing for yet; a program may import them, calling them says so.
_NOT_BUILT = frozenset(
    "row_number rank dense_rank percent_rank cume_dist ntile lag lead nth_value grouping grouping_id shuffle positive width_bucket "
    "histogram_numeric schema_of_csv schema_of_xml from_xml to_xml xpath xpath_boolean xpath_double xpath_float xpath_int xpath_long "
    "xpath_number xpath_short xpath_string parse_json try_parse_json to_variant_object variant_get try_variant_get is_variant_null "
    "schema_of_variant schema_of_variant_agg hll_sketch_agg hll_sketch_estimate hll_union hll_union_agg bitmap_bit_position "
    "bitmap_bucket_number bitmap_construct_agg bitmap_count bitmap_or_agg aes_encrypt aes_decrypt try_aes_decrypt collate collation "
    "years months days hours bucket uniform randstr udtf count_min_sketch java_method reflect".split())


def _not_built(name: str):
    def function(*args, **kwargs):
        raise _not_implemented(f"functions.{name}")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "Not part of this version."
    return function


#: Kept apart from this module's own names: sum, len and others are built-ins too.
_made: dict = {}


def __getattr__(name: str):
    if not name.startswith("_") and (name in _RENAMED or _is_listed(name)):
        if name not in _made:
            _made[name] = _make(name)
        return _made[name]
    if name in _NOT_BUILT:
        return _not_built(name)
    if name == "__all__":
        return __dir__()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    own = [name for name, value in globals().items()
           if not name.startswith("_") and callable(value) and getattr(value, "__module__", None) == __name__]
    listed = [name for name in _rows() if _is_listed(name)]
    return sorted({*own, *listed, *(name for name, target in _RENAMED.items() if target in _rows())})
