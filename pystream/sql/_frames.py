"""pandas, numpy and Arrow data for `createDataFrame`, and results as pandas and Arrow.

Columns cross by the Arrow C stream interface. pandas without pyarrow works too, row by row.
"""
from __future__ import annotations

from pystream import _native
from pystream.errors import PySparkTypeError, PySparkValueError, _require
from pystream.sql import types as T

_DTYPES = {"int8": T.ByteType, "int16": T.ShortType, "int32": T.IntegerType, "int64": T.LongType,
           "uint8": T.ShortType, "uint16": T.IntegerType, "uint32": T.LongType, "float32": T.FloatType,
           "float64": T.DoubleType, "bool": T.BooleanType, "boolean": T.BooleanType}


class _Capsule:
    """An object whose one method gives a capsule, as pyarrow's readers want it."""

    def __init__(self, method: str, capsule):
        setattr(self, method, lambda *unused: capsule)


def _pyarrow():
    """pyarrow, or None."""
    try:
        import pyarrow
        return pyarrow
    except ImportError:
        return None


# -- in ---------------------------------------------------------------------------------------------------------------


def frame_of(session, data, schema):
    """A DataFrame of columns, or None when they have to be read row by row."""
    package = type(data).__module__.partition(".")[0]
    if package == "numpy":
        data, schema = _numpy_columns(data, schema)
    elif package == "pandas":
        if not len(data) and not isinstance(schema, T.StructType):
            raise PySparkValueError(errorClass="CANNOT_INFER_EMPTY_SCHEMA", messageParameters={})
        data = _pandas_columns(session, data, schema)
    elif package == "pyarrow":
        import pyarrow
        data = pyarrow.Table.from_batches([data]) if isinstance(data, pyarrow.RecordBatch) else pyarrow.table(data)
    if data is None:
        return None
    if isinstance(schema, T.DataType) and not isinstance(schema, T.StructType):
        schema = T.StructType().add("value", schema)
    if isinstance(schema, T.StructType) and type(data).__module__.startswith("pyarrow"):
        data = _fitted(session, data, schema)
    return _imported(session, data, schema)


def _imported(session, data, schema):
    """The DataFrame of an Arrow stream; `schema` is a StructType, a list of names, or None."""
    from pystream.sql.dataframe import DataFrame
    df = DataFrame(_native.arrow_in(session._engine, data.__arrow_c_stream__()), session)
    fields = df.schema.fields
    if isinstance(schema, (list, tuple)):
        if len(schema) > len(fields):
            raise _width(len(fields), len(schema))
        names = [*schema, *(field.name for field in fields[len(schema):])]
    elif isinstance(schema, T.StructType):
        if len(schema) != len(fields):
            raise _width(len(fields), len(schema))
        names = schema.names
    else:
        names = [field.name for field in fields]
    if isinstance(schema, T.StructType):
        wanted = [field.dataType for field in schema]
    else:
        ntz = session.conf.get("spark.sql.timestampType", "") == "TIMESTAMP_NTZ"
        wanted = [field.dataType if ntz else _zoned(field.dataType) for field in fields]
    if names != df.columns:
        df = df.toDF(*names)
    if wanted == [field.dataType for field in fields]:
        return df
    return df.select(*[df[index] if field.dataType == kind else df[index].cast(kind).alias(names[index])
                       for index, (field, kind) in enumerate(zip(fields, wanted))])


def _zoned(kind):
    """The type with TIMESTAMP for TIMESTAMP_NTZ: naive times are of the session's zone."""
    if isinstance(kind, T.TimestampNTZType):
        return T.TimestampType()
    if isinstance(kind, T.ArrayType):
        return T.ArrayType(_zoned(kind.elementType), kind.containsNull)
    if isinstance(kind, T.MapType):
        return T.MapType(_zoned(kind.keyType), _zoned(kind.valueType), kind.valueContainsNull)
    if isinstance(kind, T.StructType):
        return T.StructType([T.StructField(field.name, _zoned(field.dataType), field.nullable) for field in kind])
    return kind


def _naive(kind):
    """The type with TIMESTAMP_NTZ for TIMESTAMP: how naive times are read before they get the session's zone."""
    if isinstance(kind, T.TimestampType):
        return T.TimestampNTZType()
    if isinstance(kind, T.ArrayType):
        return T.ArrayType(_naive(kind.elementType), kind.containsNull)
    if isinstance(kind, T.MapType):
        return T.MapType(_naive(kind.keyType), _naive(kind.valueType), kind.valueContainsNull)
    if isinstance(kind, T.StructType):
        return T.StructType([T.StructField(field.name, _naive(field.dataType), field.nullable) for field in kind])
    return kind


def _width(found: int, wanted: int):
    return PySparkValueError(
        errorClass="LENGTH_SHOULD_BE_THE_SAME",
        messageParameters={"arg1": "data", "arg2": "schema", "arg1_length": str(found), "arg2_length": str(wanted)})


def _arrow_schema(session, schema):
    """A StructType as a pyarrow.Schema."""
    pyarrow = _require("pyarrow", "arrow", "18.0.0")
    capsule = _native.arrow_schema(schema.json(), session.conf.get("spark.sql.session.timeZone"))
    return pyarrow.schema(_Capsule("__arrow_c_schema__", capsule))


def _fitted(session, table, schema):
    """A table whose columns, by position, are cast to the types of a StructType."""
    import pyarrow
    if table.num_columns != len(schema):
        raise _width(table.num_columns, len(schema))
    exact, plain = _arrow_schema(session, schema), _arrow_schema(session, _naive(schema))
    columns, fields = [], []
    for index, column in enumerate(table.columns):
        is_naive = pyarrow.types.is_timestamp(column.type) and column.type.tz is None
        field = (plain if is_naive else exact).field(index)
        try:
            columns.append(column.cast(field.type))
        except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as problem:
            raise PySparkTypeError(f"column {field.name}: {problem}") from problem
        if column.null_count and not field.nullable:
            raise PySparkValueError(
                errorClass="FIELD_NOT_NULLABLE_WITH_NAME", messageParameters={"field_name": f"field {field.name}"})
        fields.append(field)
    return pyarrow.Table.from_arrays(columns, schema=pyarrow.schema(fields))


def _numpy_columns(data, schema):
    """(a table or None, names or schema) of an ndarray."""
    if data.ndim not in (1, 2):
        raise PySparkValueError(errorClass="INVALID_NDARRAY_DIMENSION", messageParameters={"dimensions": "1 or 2"})
    pyarrow = _pyarrow()
    if pyarrow is None or data.dtype.kind not in "biufM":
        return None, schema
    columns = [data] if data.ndim == 1 else list(data.T)
    names = ["value"] if data.ndim == 1 else [f"_{index + 1}" for index in range(len(columns))]
    if isinstance(schema, (list, tuple)):
        schema = list(schema) + names[len(schema):]
    arrays = [pyarrow.array(column) for column in columns]
    return pyarrow.Table.from_arrays(arrays, names=names), schema


def _pandas_columns(session, data, schema):
    """A table of a pandas frame; None without pyarrow, or when it cannot tell the types."""
    pyarrow = _pyarrow()
    if pyarrow is None:
        return None
    kinds: list = [None] * data.shape[1]
    if isinstance(schema, T.StructType):
        if data.shape[1] != len(schema):
            raise _width(data.shape[1], len(schema))
        kinds = _arrow_schema(session, _naive(schema)).types
    columns = []
    for index, kind in enumerate(kinds):
        series = data.iloc[:, index]
        if getattr(series.dtype, "tz", None) is not None:
            kind = None
        try:
            columns.append(pyarrow.Array.from_pandas(series, type=kind))
        except (pyarrow.ArrowException, TypeError, ValueError):
            return None
    return pyarrow.Table.from_arrays([pyarrow.chunked_array([column]) if isinstance(column, pyarrow.Array) else column
                                      for column in columns], names=[str(name) for name in data.columns])


def rows_of(session, data, schema):
    """(rows, schema) of a pandas frame or an ndarray; the schema is a StructType, or what was given."""
    if type(data).__module__.partition(".")[0] == "numpy":
        return _numpy_rows(data, schema)
    return _pandas_rows(data, schema, _zone(session))


def _zone(session):
    """The session's zone for naive times; None (the process's zone) for one that is an offset."""
    import zoneinfo
    try:
        return zoneinfo.ZoneInfo(session.conf.get("spark.sql.session.timeZone"))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None


def _numpy_rows(data, schema):
    rows = [tuple(row) for row in data.tolist()] if data.ndim == 2 else [(value,) for value in data.tolist()]
    if isinstance(schema, T.DataType):
        return rows, schema
    kind = _DTYPES.get(data.dtype.name, T.StringType)()
    names = schema or (["value"] if data.ndim == 1 else [f"_{index + 1}" for index in range(data.shape[1])])
    return rows, T.StructType([T.StructField(name, kind) for name in names])


def _plain(value, zone):
    """A pandas value as a Python value; missing ones are None, naive times get the zone."""
    import pandas
    if value is None or value is pandas.NaT or value is pandas.NA:
        return None
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, pandas.Timestamp):
        value = value.to_pydatetime(warn=False)
        return value.replace(tzinfo=zone) if value.tzinfo is None else value
    if isinstance(value, pandas.Timedelta):
        return value.to_pytimedelta()
    if type(value).__module__ == "numpy":
        return [_plain(item, zone) for item in value] if type(value).__name__ == "ndarray" else value.item()
    return value


def _pandas_rows(data, schema, zone):
    columns = [[_plain(value, zone) for value in data.iloc[:, index]] for index in range(data.shape[1])]
    rows = list(zip(*columns)) if columns else []
    if isinstance(schema, T.DataType):
        return rows, schema
    names = [str(name) for name in (schema or data.columns)]
    fields = []
    for index, name in enumerate(names):
        dtype = data.dtypes.iloc[index]
        kind = _DTYPES.get(str(dtype).lower())
        if kind is not None:
            fields.append(T.StructField(name, kind()))
            continue
        found = T._merge_all(T._infer_type(value) for value in columns[index])
        fields.append(T.StructField(name, T.StringType() if isinstance(found, T.NullType) else found))
    return rows, T.StructType(fields)


# -- out --------------------------------------------------------------------------------------------------------------


def to_arrow(df):
    """The rows as a pyarrow.Table."""
    pyarrow = _require("pyarrow", "arrow", "18.0.0")
    return pyarrow.RecordBatchReader.from_stream(df).read_all()


def to_pandas(df):
    """The rows as a pandas.DataFrame."""
    pandas = _require("pandas", "pandas", "2.2.0")
    df._plan.check_batch()
    kinds = [field.dataType for field in df.schema]
    #: TIMESTAMP comes out naive, in the session's zone
    local = df.select(*[df[index].cast("timestamp_ntz").alias(df.columns[index]) if isinstance(kind, T.TimestampType)
                        else df[index] for index, kind in enumerate(kinds)]) \
        if any(isinstance(kind, T.TimestampType) for kind in kinds) else df
    if _pyarrow() is None:
        rows = local.collect()
        columns = [_series_of_rows([row[index] for row in rows], kind) for index, kind in enumerate(kinds)]
    else:
        table = to_arrow(local)
        mode = df.sparkSession.conf.get("spark.sql.execution.pandas.structHandlingMode", "legacy")
        columns = [_series_of_arrow(table.column(index), kind, mode) for index, kind in enumerate(kinds)]
    if not columns:
        return pandas.DataFrame(index=range(df.count()))
    made = pandas.concat(columns, axis=1)
    made.columns = df.columns
    return made


def _nested(kind) -> bool:
    """Does the type hold structs or maps."""
    return isinstance(kind, (T.StructType, T.MapType)) or isinstance(kind, T.ArrayType) and _nested(kind.elementType)


def _value_of_arrow(value, kind, mode):
    """A value of pyarrow's to_pylist as this package gives it."""
    if value is None:
        return None
    if isinstance(kind, T.StructType):
        if mode == "dict":
            return {field.name: _value_of_arrow(value[field.name], field.dataType, mode) for field in kind}
        row = T.Row(*[_value_of_arrow(value[field.name], field.dataType, mode) for field in kind])
        row.__fields__ = kind.names
        return row
    if isinstance(kind, T.MapType):
        return {_value_of_arrow(key, kind.keyType, mode): _value_of_arrow(item, kind.valueType, mode) for key, item in value}
    if isinstance(kind, T.ArrayType):
        return [_value_of_arrow(item, kind.elementType, mode) for item in value]
    return value


def _series_of_arrow(column, kind, mode):
    import pandas
    if _nested(kind):
        return pandas.Series([_value_of_arrow(value, kind, mode) for value in column.to_pylist()], dtype=object)
    old = int(pandas.__version__.split(".")[0]) < 3
    return column.to_pandas(date_as_object=True, coerce_temporal_nanoseconds=old)


def _series_of_rows(values, kind):
    """A column of Python values with the dtype that it has through Arrow."""
    import pandas
    missing = any(value is None for value in values)
    name = next((name for name, cls in _DTYPES.items() if type(kind) is cls and not name.startswith("u")), "object")
    old = int(pandas.__version__.split(".")[0]) < 3
    if isinstance(kind, (T.TimestampType, T.TimestampNTZType)):
        name = "datetime64[ns]" if old else "datetime64[us]"
    elif isinstance(kind, T.DayTimeIntervalType):
        name = "timedelta64[ns]" if old else "timedelta64[us]"
    elif isinstance(kind, T.StringType) and not old:
        name = "str"
    elif missing and name.startswith(("int", "float")):
        name = "float32" if name == "float32" else "float64"
    elif missing and name == "bool":
        name = "object"
    return pandas.Series(values, dtype=name)
