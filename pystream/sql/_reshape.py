"""DataFrame methods that are made of others: pivot, grouping sets, unpivot, statistics, set operations that count rows."""
from __future__ import annotations

from pystream import _native
from pystream.errors import AnalysisException, PySparkTypeError, PySparkValueError, _wrong_type
from pystream.sql.column import Column, _literal, _of

_INTEGERS = ("tinyint", "smallint", "int", "bigint")


def _call(name: str, *args, **how) -> Column:
    return _of(_native.call(name, [arg._expr if isinstance(arg, Column) else _literal(arg) for arg in args], **how))


def _kind(simple: str) -> str:
    return simple.split("(")[0]


def _exploded(df, columns, structs, name: str):
    """`columns` beside one row for each struct."""
    rows = _call("explode", _call("array", *structs)).alias(name)
    return df.select(*columns, rows)


def _struct(**fields) -> Column:
    return _call("struct", *[column.alias(name) for name, column in fields.items()])


def _lit(value) -> Column:
    return _of(_literal(value))


# -- groups -----------------------------------------------------------------------------------------------------------


def rollup_sets(n: int) -> list[list[int]]:
    return [list(range(count)) for count in range(n, -1, -1)]


def cube_sets(n: int) -> list[list[int]]:
    return [[index for index in range(n) if not mask >> (n - 1 - index) & 1] for mask in range(1 << n)]


def grouped_by_sets(df, grouping, sets, aggregates):
    """One aggregation over the rows repeated once for each grouping set, keys outside of the set being NULL."""
    keys = [_of(expr) for expr in grouping]
    names = df.select(*keys).columns
    structs = []
    for number, chosen in enumerate(sets):
        fields = {f"k{index}": _call("if", _lit(index in chosen), key, None) for index, key in enumerate(keys)}
        structs.append(_struct(**fields, set=_lit(number)))
    wide = _exploded(df, ["*"], structs, "__sets")
    places = [f"__sets.k{index}" for index in range(len(keys))] + ["__sets.set"]
    made = wide._node("aggregate", grouping=[_native.name(place) for place in places], aggregates=aggregates)
    return made.select(*[made[index].alias(name) for index, name in enumerate(names)],
                       *[made[index] for index in range(len(keys) + 1, len(made.columns))])


def pivoted(df, grouping, pivot, values, aggregates):
    """Aggregates for each key and pivot value, then a column for each value."""
    first = df._node("aggregate", grouping=[*grouping, pivot], aggregates=aggregates)
    n = len(grouping)
    columns = first._plan.columns()
    several = len(columns) - n - 1 > 1
    picks = []
    for value in values:
        text = "null" if value is None else _text_of(value)
        for index in range(n + 1, len(columns)):
            name, simple, _ = columns[index]
            column = _of(_native.call("first", [first[index]._expr, _native.literal(True)],
                                      filter=_call("<=>", first[n], value, operator=True)._expr))
            if simple.startswith("array<") and name.startswith("collect_"):
                column = _call("coalesce", column, _of(_native.cast(_native.call("array", []), simple)))
            picks.append(column.alias(f"{text}_{name}" if several else text)._expr)
    return first._node("aggregate", grouping=[first[index]._expr for index in range(n)], aggregates=picks)


def _text_of(value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def pivot_values(df, pivot):
    """The distinct values of a pivot column, in order."""
    if df.isStreaming:
        raise AnalysisException._of_engine(
            "pivot is not supported on a streaming DataFrames/Datasets", "_LEGACY_ERROR_TEMP_3063", None)
    column = _of(pivot)
    limit = int(df.sparkSession.conf.get("spark.sql.pivotMaxValues", "10000"))
    rows = df.select(column.alias("v")).distinct().orderBy("v").limit(limit + 1).collect()
    if len(rows) > limit:
        raise AnalysisException._of_engine(
            f"The pivot column {pivot.text()} has more than {limit} distinct values, this could indicate an error. If this was "
            f'intended, set "spark.sql.pivotMaxValues" to at least the number of distinct values of the pivot column.',
            "_LEGACY_ERROR_TEMP_1324", None)
    return [row[0] for row in rows]


def crosstab(df, col1: str, col2: str):
    keys = [_call("coalesce", df[name].cast("string"), "null") for name in (col1, col2)]
    pairs = df.select(keys[0].alias(f"{col1}_{col2}"), keys[1].alias("__other"))
    grouping, pivot = [pairs[0]._expr], pairs[1]._expr
    count = [_native.alias(_native.call("count", [_native.literal(1)]), ["count"])]
    return pivoted(pairs, grouping, pivot, pivot_values(pairs, pivot), count).fillna(0)


# -- columns as rows ----------------------------------------------------------------------------------------------------


def unpivot(df, ids, values, variable: str, value: str):
    def columns(given):
        given = [given] if isinstance(given, (str, Column)) else list(given)
        return [df[item] if isinstance(item, str) else item for item in given]
    keys = columns(ids)
    key_names = df.select(*keys).columns if keys else []
    if values is None:
        lower = {name.lower() for name in key_names}
        picked = [df[index] for index, name in enumerate(df.columns) if name.lower() not in lower]
    else:
        picked = columns(values)
    if not picked:
        raise AnalysisException._of_engine(
            "[UNPIVOT_REQUIRES_VALUE_COLUMNS] At least one value column needs to be specified for UNPIVOT, all columns "
            "specified as ids. SQLSTATE: 42K0K", "UNPIVOT_REQUIRES_VALUE_COLUMNS", "42K0K")
    names, types = zip(*df.select(*picked).dtypes)
    numeric = (*_INTEGERS, "float", "double", "decimal")
    known = {simple for simple in types if simple != "void"}
    if len(known) > 1 and not all(_kind(simple) in numeric for simple in known):
        found = ", ".join(f'"{simple.upper()}" (`{name}`)' for name, simple in zip(names, types))
        raise AnalysisException._of_engine(
            "[UNPIVOT_VALUE_DATA_TYPE_MISMATCH] Unpivot value columns must share a least common type, some types do not: "
            f"[{found}]. SQLSTATE: 42K09", "UNPIVOT_VALUE_DATA_TYPE_MISMATCH", "42K09", {"types": found})
    common = df.select(_call("array", *picked)).dtypes[0][1][len("array<"):-1]
    structs = [_struct(n=_lit(name), v=column.cast(common)) for name, column in zip(names, picked)]
    made = _exploded(df, keys, structs, "__pair")
    return made.select(*[made[index] for index in range(len(keys))], made["__pair.n"].alias(variable),
                       made["__pair.v"].alias(value))


def transpose(df, index_column=None):
    if index_column is None:
        index = df[0]
    else:
        index = df[index_column] if isinstance(index_column, str) else index_column
    name = df.select(index).columns[0]
    others = [column for column in df.columns if column != name]
    pairs = unpivot(df.where(index.isNotNull()), index, others, "key", "__value")
    grouping, pivot = [_native.name("key")], pairs[0]._expr
    pick = [_native.call("first", [_native.name("__value")])]
    made = pivoted(pairs, grouping, pivot, pivot_values(pairs, pivot), pick)
    rows = sorted(made.collect(), key=lambda row: others.index(row[0]))
    return df.sparkSession.createDataFrame(rows, made.schema)


# -- statistics -----------------------------------------------------------------------------------------------------------

_STATISTICS = {"count": "count", "mean": "avg", "stddev": "stddev", "min": "min", "max": "max",
               "count_distinct": "count", "approx_count_distinct": "approx_count_distinct"}


def _statistic(column, simple: str, name: str) -> Column:
    number = column if simple != "string" else _of(_native.cast(column._expr, "double", True))
    if name.endswith("%"):
        try:
            share = float(name[:-1]) / 100
        except ValueError:
            raise PySparkValueError(f"Unable to parse {name} as a percentile") from None
        return _call("percentile_approx", number, share, 10000)
    if name not in _STATISTICS:
        raise PySparkValueError(f"{name} is not a recognised statistic")
    if name == "count_distinct":
        return _call("count", column, distinct=True)
    return _call(_STATISTICS[name], number if name in ("mean", "stddev") else column)


def summary(df, names, statistics):
    """A row for each statistic, a column of text for each of the columns `names`."""
    columns = [(index, name, simple) for index, (name, simple, _) in enumerate(df._plan.columns())
               if _kind(simple) in (*_INTEGERS, "float", "double", "decimal", "string")]
    if names:
        chosen = [df.select(name)._plan.columns()[0] for name in names]
        columns = [(df.columns.index(name), name, simple) for name, simple, _ in chosen]
    stats = list(statistics)
    if not columns:
        return df.sparkSession.createDataFrame([(name,) for name in stats], "summary string")
    aggregates = [_statistic(df[index], simple, stat).cast("string").alias(f"s{row}_{place}")
                  for row, stat in enumerate(stats) for place, (index, _, simple) in enumerate(columns)]
    one = df.agg(*aggregates)
    structs = [_struct(**{"summary": _lit(stat)}, **{f"c{place}": one[row * len(columns) + place] for place in range(len(columns))})
               for row, stat in enumerate(stats)]
    made = _exploded(one, [], structs, "s")
    return made.select(made["s.summary"].alias("summary"), *[made[f"s.c{place}"].alias(name) for place, (_, name, _) in enumerate(columns)])


def approx_quantile(df, col, probabilities, relative_error):
    if not isinstance(col, (str, list, tuple)):
        raise _wrong_type("col", "list, str or tuple", col)
    names = [col] if isinstance(col, str) else list(col)
    for name in names:
        if not isinstance(name, str):
            raise PySparkTypeError(
                errorClass="DISALLOWED_TYPE_FOR_CONTAINER",
                messageParameters={"arg_name": "col", "arg_type": type(col).__name__, "allowed_types": "str",
                                   "item_type": type(name).__name__})
    if not isinstance(probabilities, (list, tuple)):
        raise _wrong_type("probabilities", "list or tuple", probabilities)
    for share in probabilities:
        if not isinstance(share, (float, int)) or not 0 <= share <= 1:
            raise PySparkTypeError(
                errorClass="NOT_LIST_OF_FLOAT_OR_INT",
                message="Argument `probabilities` should be a list of float or int between 0 and 1.",
                messageParameters={"arg_name": "probabilities", "arg_type": type(share).__name__})
    if not isinstance(relative_error, (float, int)):
        raise _wrong_type("relativeError", "float or int", relative_error)
    if relative_error < 0:
        raise PySparkValueError(
            errorClass="NEGATIVE_VALUE",
            messageParameters={"arg_name": "relativeError", "arg_value": str(relative_error)})
    accuracy = min(2**31 - 1, max(1, round(1 / relative_error))) if relative_error > 0 else 2**31 - 1
    shares = [float(share) for share in probabilities]
    numbers = [df[name].cast("double") for name in names]
    picks = [_call("percentile_approx", _call("nullif", number, float("nan")), shares, accuracy) for number in numbers]
    row = df.agg(*picks).first()
    found = [list(item or []) for item in row]
    return found[0] if isinstance(col, str) else found


def two_columns(df, name: str, col1, col2) -> float:
    """An aggregate of two numeric columns."""
    for label, item in (("col1", col1), ("col2", col2)):
        if not isinstance(item, str):
            raise _wrong_type(label, "str", item)
    return df.agg(_call(name, df[col1].cast("double"), df[col2].cast("double"))).first()[0]


# -- samples ----------------------------------------------------------------------------------------------------------------


def _seed(seed) -> int:
    import random
    return random.getrandbits(31) if seed is None else int(seed)


def random_split(df, weights, seed):
    for weight in weights:
        if weight < 0:
            raise PySparkValueError(
                errorClass="VALUE_NOT_POSITIVE", messageParameters={"arg_name": "weights", "arg_value": str(weight)})
    if len(weights) == 1:
        return [df]
    total, seed, low, parts = float(sum(weights)), _seed(seed), 0.0, []
    for index, weight in enumerate(weights):
        high = 1.0 if index == len(weights) - 1 else low + weight / total
        drawn = df.withColumn("__drawn", _call("rand", seed))
        parts.append(drawn.filter((drawn["__drawn"] >= low) & (drawn["__drawn"] < high)).drop("__drawn"))
        low = high
    return parts


def sample_by(df, col, fractions, seed):
    if not isinstance(col, (str, Column)):
        raise _wrong_type("col", "Column or str", col)
    if not isinstance(fractions, dict):
        raise _wrong_type("fractions", "dict", fractions)
    column = df[col] if isinstance(col, str) else col
    cases = []
    for value, share in fractions.items():
        cases += [_call("<=>", column, value, operator=True)._expr, _native.literal(float(share))]
    if not cases:
        return df.limit(0)
    share = _of(_native.call("case", [*cases, _native.literal(0.0)], operator=True))
    return df.filter(_call("rand", _seed(seed)) < share)


# -- set operations that count -------------------------------------------------------------------------------------------------


def _counts(left, right):
    """Each distinct row of both frames, as columns c0..., with how often either has it: `l` and `r`."""
    left.union(right)  # the error about columns that do not fit
    names = [f"c{index}" for index in range(len(left.columns))]
    sides = [side.toDF(*names).select("*", _lit(mark).alias("l"), _lit(1 - mark).alias("r")) for mark, side in ((1, left), (0, right))]
    both = sides[0].union(sides[1])
    return names, both.groupBy(*names).agg(_call("sum", both["l"]).alias("l"), _call("sum", both["r"]).alias("r"))


def compared(left, right, condition: str):
    """The distinct rows whose counts `l` and `r` meet a condition."""
    names, counts = _counts(left, right)
    return counts.filter(condition).select(*names).toDF(*left.columns)


def repeated(left, right, times: str):
    """The distinct rows, each as often as an expression of the counts `l` and `r` says."""
    names, counts = _counts(left, right)
    some = counts.withColumn("n", _of(_native.parse_expr(times))).filter("n > 0")
    rows = some.select(*names, _call("explode", _call("sequence", 1, some["n"].cast("int"))).alias("n"))
    return rows.select(*names).toDF(*left.columns)
