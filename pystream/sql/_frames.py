"""pandas, numpy and Arrow data as rows for `createDataFrame`."""
from __future__ import annotations

from pystream.errors import PySparkValueError
from pystream.sql import types as T

_DTYPES = {"int8": T.ByteType, "int16": T.ShortType, "int32": T.IntegerType, "int64": T.LongType,
           "uint8": T.ShortType, "uint16": T.IntegerType, "uint32": T.LongType, "float32": T.FloatType,
           "float64": T.DoubleType, "bool": T.BooleanType, "boolean": T.BooleanType}


def rows_of(session, data, schema):
    """(rows, schema) of a foreign frame; the schema is a StructType, or what was given."""
    package = type(data).__module__.partition(".")[0]
    if package == "numpy":
        return _of_numpy(data, schema)
    if package == "pyarrow":
        return _of_arrow(data, schema)
    return _of_pandas(data, schema)


def _of_numpy(data, schema):
    if data.ndim not in (1, 2):
        raise PySparkValueError(errorClass="INVALID_NDARRAY_DIMENSION", messageParameters={"dimensions": "1 or 2"})
    rows = [tuple(row) for row in data.tolist()] if data.ndim == 2 else [(value,) for value in data.tolist()]
    if isinstance(schema, T.DataType):
        return rows, schema
    kind = _DTYPES.get(data.dtype.name, T.StringType)()
    names = schema or (["value"] if data.ndim == 1 else [f"_{index + 1}" for index in range(data.shape[1])])
    return rows, T.StructType([T.StructField(name, kind) for name in names])


def _of_arrow(data, schema):
    names = data.column_names
    rows = list(zip(*(column.to_pylist() for column in data.columns))) if names else []
    if isinstance(schema, T.DataType):
        return rows, schema
    return rows, list(schema or names)


def _plain(value):
    """A pandas value as a Python value; missing ones are None."""
    import pandas
    if value is None or value is pandas.NaT or value is pandas.NA:
        return None
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, pandas.Timestamp):
        return value.to_pydatetime(warn=False)
    if isinstance(value, pandas.Timedelta):
        return value.to_pytimedelta()
    if type(value).__module__ == "numpy":
        return [_plain(item) for item in value] if type(value).__name__ == "ndarray" else value.item()
    return value


def _of_pandas(data, schema):
    columns = [[_plain(value) for value in data.iloc[:, index]] for index in range(data.shape[1])]
    rows = list(zip(*columns)) if columns else []
    if isinstance(schema, T.DataType):
        return rows, schema
    if not len(data):
        raise PySparkValueError(errorClass="CANNOT_INFER_EMPTY_SCHEMA", messageParameters={})
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
