"""The types of values, schemas, and Row.

A schema is a `StructType` of `StructField`, or the same as text: ``"id INT, tags ARRAY<STRING>"``.
"""
from __future__ import annotations

import datetime
import re

from pystream import _native
from pystream.errors import (
    PySparkAttributeError, PySparkIndexError, PySparkKeyError, PySparkRuntimeError, PySparkTypeError,
    PySparkValueError, _wrong_type)

__all__ = [
    "DataType", "NullType", "CharType", "StringType", "VarcharType", "BinaryType", "BooleanType", "DateType",
    "TimestampType", "TimestampNTZType", "DecimalType", "DoubleType", "FloatType", "ByteType", "IntegerType",
    "LongType", "DayTimeIntervalType", "YearMonthIntervalType", "CalendarIntervalType", "Row", "ShortType",
    "ArrayType", "MapType", "StructField", "StructType", "TimeType", "VariantType", "VariantVal", "UserDefinedType",
]


def _dumps(value) -> str:
    import json
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


class DataType:
    """The root of all types.

    Examples
    --------
    >>> DataType.fromDDL("array<int>")
    ArrayType(IntegerType(), True)
    >>> LongType().simpleString(), LongType().typeName(), LongType().json()
    ('bigint', 'long', '"long"')
    """

    def __repr__(self):
        return type(self).__name__ + "()"

    def __hash__(self):
        return hash(str(self))

    def __eq__(self, other):
        return type(self) is type(other) and vars(self) == vars(other)

    def __ne__(self, other):
        return not self == other

    @classmethod
    def typeName(cls) -> str:
        """The name in JSON schemas."""
        return cls.__name__.removesuffix("Type").removesuffix("UDT").lower()

    def simpleString(self) -> str:
        """The short SQL name, as `DataFrame.dtypes` shows it."""
        return self.typeName()

    def jsonValue(self):
        """The JSON form as Python values."""
        return self.typeName()

    def json(self) -> str:
        """The JSON form as text."""
        return _dumps(self.jsonValue())

    def needConversion(self) -> bool:
        """Is the internal value another than the Python value."""
        return False

    def toInternal(self, obj):
        """The value as the engine stores it."""
        return obj

    def fromInternal(self, obj):
        """The Python value of a stored one."""
        return obj

    @classmethod
    def fromDDL(cls, ddl: str) -> DataType:
        """The type or schema that DDL text names.

        Examples
        --------
        >>> DataType.fromDDL("b: string, a: int").simpleString()
        'struct<b:string,a:int>'
        """
        return _parse_datatype_string(ddl)


class _Singleton(type):
    """Types without parameters are made once."""

    _made: dict = {}

    def __call__(cls):
        if cls not in cls._made:
            cls._made[cls] = super().__call__()
        return cls._made[cls]


class NullType(DataType, metaclass=_Singleton):
    """The type of None."""

    @classmethod
    def typeName(cls) -> str:
        return "void"


class AtomicType(DataType):
    """A type without parts."""


class NumericType(AtomicType):
    """A number."""


class IntegralType(NumericType, metaclass=_Singleton):
    """A whole number."""


class FractionalType(NumericType):
    """A number with a fraction."""


class StringType(AtomicType):
    """Text."""

    def __init__(self, collation: str = "UTF8_BINARY"):
        self.collation = collation

    def simpleString(self) -> str:
        return "string" if self.collation == "UTF8_BINARY" else f"string collate {self.collation}"

    def jsonValue(self):
        return self.simpleString()

    def __repr__(self):
        return "StringType()" if self.collation == "UTF8_BINARY" else f"StringType('{self.collation}')"


class CharType(AtomicType):
    """Text of a fixed length, in table schemas."""

    def __init__(self, length: int):
        self.length = length

    def simpleString(self) -> str:
        return f"{self.typeName()}({self.length})"

    def jsonValue(self):
        return self.simpleString()

    def __repr__(self):
        return f"{type(self).__name__}({self.length})"


class VarcharType(CharType):
    """Text up to a length, in table schemas."""


class BinaryType(AtomicType, metaclass=_Singleton):
    """Bytes."""


class BooleanType(AtomicType, metaclass=_Singleton):
    """True or False."""


class DatetimeType(AtomicType):
    """A point in time."""


class DateType(DatetimeType, metaclass=_Singleton):
    """A day."""

    EPOCH_ORDINAL = datetime.date(1970, 1, 1).toordinal()

    def needConversion(self) -> bool:
        return True

    def toInternal(self, d):
        return None if d is None else d.toordinal() - self.EPOCH_ORDINAL

    def fromInternal(self, v):
        return None if v is None else datetime.date.fromordinal(v + self.EPOCH_ORDINAL)


class TimeType(DatetimeType):
    """A time of day."""

    def __init__(self, precision: int = 6):
        self.precision = precision

    def simpleString(self) -> str:
        return f"time({self.precision})"

    def jsonValue(self):
        return self.simpleString()

    def __repr__(self):
        return f"TimeType({self.precision})"


class TimestampType(DatetimeType, metaclass=_Singleton):
    """An instant, in microseconds; in Python a datetime, naive ones in the zone of the process."""

    @classmethod
    def typeName(cls) -> str:
        return "timestamp"

    def needConversion(self) -> bool:
        return True

    def toInternal(self, dt):
        if dt is None:
            return None
        return round(dt.timestamp() * 1e6) // 1_000_000 * 1_000_000 + dt.microsecond

    def fromInternal(self, ts):
        if ts is None:
            return None
        return datetime.datetime.fromtimestamp(ts // 1_000_000).replace(microsecond=ts % 1_000_000)


class TimestampNTZType(DatetimeType, metaclass=_Singleton):
    """A date and time without a zone."""

    _EPOCH = datetime.datetime(1970, 1, 1)

    @classmethod
    def typeName(cls) -> str:
        return "timestamp_ntz"

    def needConversion(self) -> bool:
        return True

    def toInternal(self, dt):
        return None if dt is None else (dt.replace(tzinfo=None) - self._EPOCH) // datetime.timedelta(microseconds=1)

    def fromInternal(self, ts):
        return None if ts is None else self._EPOCH + datetime.timedelta(microseconds=ts)


class DecimalType(FractionalType):
    """A number with `scale` digits behind the point, of `precision` digits in all (at most 38)."""

    def __init__(self, precision: int = 10, scale: int = 0):
        self.precision = precision
        self.scale = scale

    def simpleString(self) -> str:
        return f"decimal({self.precision},{self.scale})"

    def jsonValue(self):
        return self.simpleString()

    def __repr__(self):
        return f"DecimalType({self.precision},{self.scale})"


class DoubleType(FractionalType, metaclass=_Singleton):
    """A 64-bit float."""


class FloatType(FractionalType, metaclass=_Singleton):
    """A 32-bit float."""


class ByteType(IntegralType):
    """An integer of 8 bits."""

    def simpleString(self) -> str:
        return "tinyint"


class ShortType(IntegralType):
    """An integer of 16 bits."""

    def simpleString(self) -> str:
        return "smallint"


class IntegerType(IntegralType):
    """An integer of 32 bits."""

    def simpleString(self) -> str:
        return "int"


class LongType(IntegralType):
    """An integer of 64 bits."""

    def simpleString(self) -> str:
        return "bigint"


class AnsiIntervalType(AtomicType):
    """A span of time in ANSI units."""

    _fields: tuple = ()

    def __init__(self, startField: int | None = None, endField: int | None = None):
        if startField is None and endField is None:
            startField, endField = 0, len(self._fields) - 1
        elif startField is not None and endField is None:
            endField = startField
        if startField not in range(len(self._fields)) or endField not in range(len(self._fields)):
            raise PySparkRuntimeError(f"Interval {startField} to {endField} is invalid.", "INVALID_INTERVAL_CASTING")
        self.startField = startField
        self.endField = endField

    @classmethod
    def typeName(cls) -> str:
        return cls.__name__.removesuffix("Type").lower()

    def simpleString(self) -> str:
        start, end = self._fields[self.startField], self._fields[self.endField]
        return f"interval {start}" if start == end else f"interval {start} to {end}"

    def jsonValue(self):
        return self.simpleString()

    def needConversion(self) -> bool:
        return True

    def __repr__(self):
        return f"{type(self).__name__}({self.startField}, {self.endField})"


class DayTimeIntervalType(AnsiIntervalType):
    """A span of days, hours, minutes and seconds; in Python a timedelta."""

    DAY, HOUR, MINUTE, SECOND = range(4)
    _fields = ("day", "hour", "minute", "second")

    def toInternal(self, dt):
        return None if dt is None else dt // datetime.timedelta(microseconds=1)

    def fromInternal(self, micros):
        return None if micros is None else datetime.timedelta(microseconds=micros)


class YearMonthIntervalType(AnsiIntervalType):
    """A span of years and months."""

    YEAR, MONTH = range(2)
    _fields = ("year", "month")


class CalendarIntervalType(DataType, metaclass=_Singleton):
    """A span of months, days and microseconds."""

    @classmethod
    def typeName(cls) -> str:
        return "interval"

    def needConversion(self) -> bool:
        return True


class VariantType(AtomicType):
    """A value of any type."""

    def needConversion(self) -> bool:
        return True


class VariantVal:
    """A value of a VARIANT column."""

    def __init__(self, value: bytes, metadata: bytes):
        self.value = value
        self.metadata = metadata

    def __repr__(self):
        return f"VariantVal({self.value!r}, {self.metadata!r})"


class ArrayType(DataType):
    """A list of values of one type.

    Examples
    --------
    >>> ArrayType(StringType()) == ArrayType(StringType(), True)
    True
    """

    def __init__(self, elementType: DataType, containsNull: bool = True):
        assert isinstance(elementType, DataType), f"elementType {elementType} should be an instance of {DataType}"
        self.elementType = elementType
        self.containsNull = containsNull

    def simpleString(self) -> str:
        return f"array<{self.elementType.simpleString()}>"

    def __repr__(self):
        return f"ArrayType({self.elementType}, {self.containsNull})"

    def jsonValue(self):
        return {"type": "array", "elementType": self.elementType.jsonValue(), "containsNull": self.containsNull}

    @classmethod
    def fromJson(cls, json) -> ArrayType:
        """The type of a parsed JSON form."""
        return cls(_parse_datatype_json_value(json["elementType"]), json.get("containsNull", True))

    def needConversion(self) -> bool:
        return self.elementType.needConversion()


class MapType(DataType):
    """Keys of one type with values of one type."""

    def __init__(self, keyType: DataType, valueType: DataType, valueContainsNull: bool = True):
        assert isinstance(keyType, DataType), f"keyType {keyType} should be an instance of {DataType}"
        assert isinstance(valueType, DataType), f"valueType {valueType} should be an instance of {DataType}"
        self.keyType = keyType
        self.valueType = valueType
        self.valueContainsNull = valueContainsNull

    def simpleString(self) -> str:
        return f"map<{self.keyType.simpleString()},{self.valueType.simpleString()}>"

    def __repr__(self):
        return f"MapType({self.keyType}, {self.valueType}, {self.valueContainsNull})"

    def jsonValue(self):
        return {"type": "map", "keyType": self.keyType.jsonValue(), "valueType": self.valueType.jsonValue(),
                "valueContainsNull": self.valueContainsNull}

    @classmethod
    def fromJson(cls, json) -> MapType:
        """The type of a parsed JSON form."""
        return cls(_parse_datatype_json_value(json["keyType"]), _parse_datatype_json_value(json["valueType"]),
                   json.get("valueContainsNull", True))

    def needConversion(self) -> bool:
        return self.keyType.needConversion() or self.valueType.needConversion()


class StructField(DataType):
    """A named part of a `StructType`.

    Examples
    --------
    >>> StructField("id", LongType(), False)
    StructField('id', LongType(), False)
    """

    def __init__(self, name: str, dataType: DataType, nullable: bool = True, metadata: dict | None = None):
        assert isinstance(dataType, DataType), f"dataType {dataType} should be an instance of {DataType}"
        if not isinstance(name, str):
            raise _wrong_type("name", "str", name)
        self.name = name
        self.dataType = dataType
        self.nullable = nullable
        self.metadata = metadata or {}

    def simpleString(self) -> str:
        return f"{self.name}:{self.dataType.simpleString()}"

    def __repr__(self):
        return f"StructField('{self.name}', {self.dataType}, {self.nullable})"

    def jsonValue(self):
        return {"name": self.name, "type": self.dataType.jsonValue(), "nullable": self.nullable,
                "metadata": self.metadata}

    @classmethod
    def fromJson(cls, json) -> StructField:
        """The field of a parsed JSON form."""
        return cls(json["name"], _parse_datatype_json_value(json["type"]), json.get("nullable", True),
                   json.get("metadata"))

    def needConversion(self) -> bool:
        return self.dataType.needConversion()

    def typeName(self) -> str:
        raise PySparkTypeError(errorClass="INVALID_TYPENAME_CALL", messageParameters={})


class StructType(DataType):
    """A schema: fields in order.

    Examples
    --------
    >>> schema = StructType().add("id", LongType()).add("name", StringType(), False)
    >>> schema.simpleString()
    'struct<id:bigint,name:string>'
    >>> schema["id"]
    StructField('id', LongType(), True)
    """

    def __init__(self, fields: list[StructField] | None = None):
        self.fields = fields or []
        self.names = [field.name for field in self.fields]
        assert all(isinstance(field, StructField) for field in self.fields), "fields should be a list of StructField"

    def add(self, field, data_type=None, nullable: bool = True, metadata: dict | None = None) -> StructType:
        """Add a field; returns this very schema."""
        if not isinstance(field, StructField):
            if data_type is None:
                raise PySparkValueError(
                    errorClass="ARGUMENT_REQUIRED",
                    messageParameters={"arg_name": "data_type", "condition": "passing name of struct_field to create"})
            kind = _parse_datatype_json_value(data_type) if isinstance(data_type, str) else data_type
            field = StructField(field, kind, nullable, metadata)
        self.fields.append(field)
        self.names.append(field.name)
        return self

    def __iter__(self):
        return iter(self.fields)

    def __len__(self):
        return len(self.fields)

    def __getitem__(self, key):
        if isinstance(key, str):
            for field in self.fields:
                if field.name == key:
                    return field
            raise PySparkKeyError(errorClass="KEY_NOT_EXISTS", messageParameters={"key": key})
        if isinstance(key, int):
            try:
                return self.fields[key]
            except IndexError:
                raise PySparkIndexError(
                    errorClass="INDEX_OUT_OF_RANGE",
                    messageParameters={"arg_name": "StructType", "index": str(key)}) from None
        if isinstance(key, slice):
            return StructType(self.fields[key])
        raise _wrong_type("key", "int, slice or str", key)

    def simpleString(self) -> str:
        return f"struct<{','.join(field.simpleString() for field in self.fields)}>"

    def __repr__(self):
        return f"StructType([{', '.join(str(field) for field in self.fields)}])"

    def jsonValue(self):
        return {"type": "struct", "fields": [field.jsonValue() for field in self.fields]}

    @classmethod
    def fromJson(cls, json) -> StructType:
        """The schema of a parsed JSON form."""
        return cls([StructField.fromJson(field) for field in json["fields"]])

    @classmethod
    def fromDDL(cls, ddl: str) -> StructType:
        """The schema that DDL text names."""
        return _parse_datatype_string(ddl)

    def toDDL(self) -> str:
        """The schema as DDL text."""
        return _native.type_text(self.json(), "ddl", True)

    def treeString(self, maxDepth: int | None = None) -> str:
        """What `DataFrame.printSchema` prints."""
        return _native.type_text(self.json(), "tree", True, -1 if maxDepth is None else maxDepth)

    def fieldNames(self) -> list[str]:
        """The names of the fields."""
        return list(self.names)

    def needConversion(self) -> bool:
        return True


class UserDefinedType(DataType):
    """A type of the user's own, stored as another: not supported."""

    @classmethod
    def typeName(cls) -> str:
        return cls.__name__.lower()


# -- text to types --------------------------------------------------------------------------------------------------

_ATOMIC = {kind.typeName(): kind for kind in (
    NullType, BinaryType, BooleanType, DateType, TimestampType, TimestampNTZType, DoubleType, FloatType, ByteType,
    ShortType, IntegerType, LongType, CalendarIntervalType, VariantType)}
_ATOMIC["string"] = StringType
_COMPLEX = {"array": ArrayType, "map": MapType, "struct": StructType}
_INTERVALS = [(DayTimeIntervalType, {"day": 0, "hour": 1, "minute": 2, "second": 3}),
              (YearMonthIntervalType, {"year": 0, "month": 1})]


def _parse_datatype_json_value(value) -> DataType:
    if not isinstance(value, str):
        kind = value.get("type") if isinstance(value, dict) else None
        if kind in _COMPLEX:
            return _COMPLEX[kind].fromJson(value)
        raise PySparkValueError(errorClass="CANNOT_PARSE_DATATYPE", messageParameters={"msg": str(value)})
    if value in _ATOMIC:
        return _ATOMIC[value]()
    if value == "decimal":
        return DecimalType()
    found = re.fullmatch(r"(decimal|char|varchar|time)\(\s*(\d+)\s*(?:,\s*(-?\d+)\s*)?\)", value)
    if found:
        kind = {"decimal": DecimalType, "char": CharType, "varchar": VarcharType, "time": TimeType}[found[1]]
        return kind(*(int(number) for number in found.groups()[1:] if number is not None))
    found = re.fullmatch(r"interval (\w+)(?: to (\w+))?", value)
    if found:
        for kind, units in _INTERVALS:
            if found[1] in units and (found[2] or found[1]) in units:
                return kind(units[found[1]], units[found[2] or found[1]])
    found = re.fullmatch(r"string collate (\w+)", value)
    if found:
        return StringType(found[1])
    raise PySparkValueError(errorClass="CANNOT_PARSE_DATATYPE", messageParameters={"msg": value})


def _parse_datatype_json_string(text: str) -> DataType:
    import json
    return _parse_datatype_json_value(json.loads(text))


def _parse_datatype_string(text: str) -> DataType:
    """A schema, or a single type: what DDL text may name."""
    from pystream.errors import ParseException
    try:
        return _parse_datatype_json_string(_native.type_text(text, "json", True))
    except ParseException as problem:
        try:
            return _parse_datatype_json_string(_native.type_text(text, "json"))
        except ParseException:
            raise problem from None


def _schema_text(schema) -> str:
    """A schema argument (DDL text or StructType) as text for the engine."""
    return schema if isinstance(schema, str) else schema.json()


# -- Row --------------------------------------------------------------------------------------------------------------

def _create_row(fields, values) -> Row:
    row = tuple.__new__(Row, values)
    row.__fields__ = fields
    return row


class Row(tuple):
    """A row: a tuple whose values have names.

    Examples
    --------
    >>> row = Row(name="Ann", age=5)
    >>> row.name, row["age"], row[0], "age" in row
    ('Ann', 5, 'Ann', True)
    >>> Person = Row("name", "age")
    >>> Person("Bob", 7)
    Row(name='Bob', age=7)
    """

    def __new__(cls, *args, **kwargs):
        if args and kwargs:
            raise PySparkValueError(errorClass="CANNOT_SET_TOGETHER", messageParameters={"arg_list": "args and kwargs"})
        if kwargs:
            row = tuple.__new__(cls, list(kwargs.values()))
            row.__fields__ = list(kwargs.keys())
            return row
        return tuple.__new__(cls, args)

    def asDict(self, recursive: bool = False) -> dict:
        """The row as a dict; `recursive` does the same with rows inside."""
        if not hasattr(self, "__fields__"):
            raise PySparkTypeError(
                errorClass="CANNOT_CONVERT_TYPE", messageParameters={"from_type": "Row", "to_type": "dict"})
        if not recursive:
            return dict(zip(self.__fields__, self))

        def plain(value):
            if isinstance(value, Row):
                return value.asDict(True)
            if isinstance(value, list):
                return [plain(item) for item in value]
            if isinstance(value, dict):
                return {key: plain(item) for key, item in value.items()}
            return value
        return {name: plain(value) for name, value in zip(self.__fields__, self)}

    def __contains__(self, item):
        return item in self.__fields__ if hasattr(self, "__fields__") else super().__contains__(item)

    def __call__(self, *args):
        if len(args) > len(self):
            raise PySparkValueError(
                errorClass="TOO_MANY_VALUES",
                messageParameters={"expected": str(len(self)), "item": "fields", "actual": str(len(args))})
        return _create_row(self, args)

    def __getitem__(self, item):
        if isinstance(item, (int, slice)):
            return super().__getitem__(item)
        try:
            return super().__getitem__(self.__fields__.index(item))
        except (IndexError, AttributeError):
            raise PySparkKeyError(errorClass="KEY_NOT_EXISTS", messageParameters={"key": str(item)}) from None
        except ValueError:
            raise PySparkValueError(str(item)) from None

    def __getattr__(self, item):
        if item.startswith("__"):
            raise PySparkAttributeError(
                errorClass="CANNOT_ACCESS_TO_DUNDER", messageParameters={})
        try:
            return super().__getitem__(self.__fields__.index(item))
        except (IndexError, ValueError):
            raise PySparkAttributeError(
                errorClass="ATTRIBUTE_NOT_SUPPORTED", messageParameters={"attr_name": item}) from None

    def __setattr__(self, key, value):
        if key != "__fields__":
            raise PySparkRuntimeError(errorClass="READ_ONLY", messageParameters={"object": "Row"})
        super().__setattr__("__dict__", {key: value})  # collected rows share one

    def __reduce__(self):
        if hasattr(self, "__fields__"):
            return _create_row, (self.__fields__, tuple(self))
        return tuple.__reduce__(self)

    def __repr__(self):
        if hasattr(self, "__fields__"):
            return f"Row({', '.join(f'{name}={value!r}' for name, value in zip(self.__fields__, tuple(self)))})"
        return f"<Row({', '.join(repr(value) for value in self)})>"


# -- values that do not fit a schema ------------------------------------------------------------------------------------

def _misfit(kind: str, type_json: str, value, where: str):
    """Raise what is wrong with a value: called by the engine's conversions."""
    data_type = _parse_datatype_json_string(type_json)
    given = {"field_name": where} if where else {}
    suffix = "_WITH_NAME" if where else ""
    if kind == "null":
        raise PySparkValueError(errorClass="FIELD_NOT_NULLABLE" + suffix, messageParameters=given)
    if kind == "length":
        raise PySparkValueError(
            errorClass="FIELD_STRUCT_LENGTH_MISMATCH" + suffix,
            messageParameters={**given, "object_length": str(len(value)), "field_length": str(len(data_type))})
    if kind == "range":
        bits = {"byte": 7, "short": 15, "integer": 31, "long": 63}[data_type.typeName()]
        raise PySparkValueError(
            errorClass="VALUE_OUT_OF_BOUNDS",
            messageParameters={"arg_name": where or "obj", "lower_bound": str(-2**bits), "upper_bound": str(2**bits - 1),
                               "actual": str(value)})
    if kind == "precision":
        from pystream.errors import ArithmeticException
        raise ArithmeticException._of_engine(
            f"[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION] The value {value} cannot be interpreted as a numeric since "
            f"it has more than {data_type.precision} digits. SQLSTATE: 22003",
            "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "22003")
    raise PySparkTypeError(
        errorClass="FIELD_DATA_TYPE_UNACCEPTABLE" + suffix,
        messageParameters={**given, "data_type": str(data_type), "obj": repr(value), "obj_type": str(type(value))})


_native.register(Row, _misfit)


# -- the types of Python values -------------------------------------------------------------------------------------------

_ARRAY_CODES = {"b": ByteType, "h": ShortType, "i": IntegerType, "l": LongType, "q": LongType, "f": FloatType,
                "d": DoubleType, "B": ShortType, "H": IntegerType, "I": LongType, "u": StringType}


def _infer_type(value, dict_as_struct: bool = False, prefer_ntz: bool = False) -> DataType:
    if value is None:
        return NullType()
    kind = type(value)
    if kind is bool:
        return BooleanType()
    if kind is int:
        return LongType()
    if kind is float:
        return DoubleType()
    if kind is str:
        return StringType()
    if kind in (bytes, bytearray):
        return BinaryType()
    if kind is datetime.datetime:
        return TimestampNTZType() if prefer_ntz and value.tzinfo is None else TimestampType()
    if kind is datetime.date:
        return DateType()
    if kind is datetime.time:
        return TimeType()
    if kind is datetime.timedelta:
        return DayTimeIntervalType()
    if kind.__name__ == "Decimal" and kind.__module__ == "decimal":
        return DecimalType(38, 18)
    if isinstance(value, dict):
        if dict_as_struct:
            return StructType([StructField(str(name), _infer_type(item, True, prefer_ntz)) for name, item in value.items()])
        return MapType(_merge_all((_infer_type(item, False, prefer_ntz) for item in value if item is not None)),
                       _merge_all(_infer_type(item, False, prefer_ntz) for item in value.values()))
    if isinstance(value, list):
        return ArrayType(_merge_all(_infer_type(item, dict_as_struct, prefer_ntz) for item in value))
    if kind.__name__ == "array" and kind.__module__ == "array" and value.typecode in _ARRAY_CODES:
        return ArrayType(_ARRAY_CODES[value.typecode](), False)
    return _infer_schema(value, None, dict_as_struct, prefer_ntz)


def _merge_all(types) -> DataType:
    merged = NullType()
    for kind in types:
        merged = _merge_type(merged, kind)
    return merged


def _infer_schema(row, names=None, dict_as_struct: bool = False, prefer_ntz: bool = False) -> StructType:
    """The schema of one row."""
    if isinstance(row, dict):
        items = sorted(row.items())
    elif isinstance(row, (tuple, list)):
        if hasattr(row, "__fields__"):
            items = list(zip(row.__fields__, tuple(row)))
        elif hasattr(row, "_fields"):
            items = list(zip(row._fields, tuple(row)))
        else:
            names = list(names or [])
            names += [f"_{index}" for index in range(len(names) + 1, len(row) + 1)]
            items = list(zip(names, row))
    elif hasattr(row, "__dict__") and not isinstance(row, type):
        items = sorted(row.__dict__.items())
    else:
        raise PySparkTypeError(
            errorClass="CANNOT_INFER_SCHEMA_FOR_TYPE", messageParameters={"data_type": type(row).__name__})
    fields = []
    for name, value in items:
        try:
            fields.append(StructField(name, _infer_type(value, dict_as_struct, prefer_ntz)))
        except TypeError as problem:
            if getattr(problem, "getCondition", lambda: None)() == "CANNOT_MERGE_TYPE":
                raise
            raise PySparkTypeError(
                errorClass="CANNOT_INFER_TYPE_FOR_FIELD", messageParameters={"field_name": str(name)}) from problem
    return StructType(fields)


def _has_nulltype(kind: DataType) -> bool:
    if isinstance(kind, StructType):
        return any(_has_nulltype(field.dataType) for field in kind.fields)
    if isinstance(kind, ArrayType):
        return _has_nulltype(kind.elementType)
    if isinstance(kind, MapType):
        return _has_nulltype(kind.keyType) or _has_nulltype(kind.valueType)
    return isinstance(kind, NullType)


def _merge_type(a: DataType, b: DataType) -> DataType:
    """The type of a column that has values of both."""
    if isinstance(a, NullType):
        return b
    if isinstance(b, NullType):
        return a
    if {type(a), type(b)} == {TimestampType, TimestampNTZType}:
        return TimestampType()
    if isinstance(a, AtomicType) and isinstance(b, StringType) and not isinstance(a, StringType):
        return b
    if isinstance(a, StringType) and isinstance(b, AtomicType):
        return a
    if type(a) is not type(b):
        raise PySparkTypeError(
            errorClass="CANNOT_MERGE_TYPE",
            messageParameters={"data_type1": type(a).__name__, "data_type2": type(b).__name__})
    if isinstance(a, StructType):
        others = {field.name: field.dataType for field in b.fields}
        fields = [StructField(field.name, _merge_type(field.dataType, others.get(field.name, NullType())))
                  for field in a.fields]
        known = set(a.names)
        return StructType(fields + [StructField(name, kind) for name, kind in others.items() if name not in known])
    if isinstance(a, ArrayType):
        return ArrayType(_merge_type(a.elementType, b.elementType))
    if isinstance(a, MapType):
        return MapType(_merge_type(a.keyType, b.keyType), _merge_type(a.valueType, b.valueType))
    return a
