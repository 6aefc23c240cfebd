"""What exceptions tell: class, condition, SQLSTATE, parameters."""
import re

import pytest

from pystream import _native
from pystream._places import PLACES
from pystream.errors import (
    AnalysisException, IllegalArgumentException, NumberFormatException, ParseException, PySparkTypeError, PySparkValueError,
    SparkNoSuchElementException, UnsupportedOperationException)

PLACE = re.compile(r"%[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|z|j)?[diouxXscfgeE]")


@pytest.mark.parametrize("make, kind, condition, parameters", [
    (lambda spark: spark.range(1).select("x"), AnalysisException, "UNRESOLVED_COLUMN.WITH_SUGGESTION",
     {"objectName": "`x`", "proposal": "`id`"}),
    (lambda spark: spark.sql("select cast('a' as int)").collect(), NumberFormatException, "CAST_INVALID_INPUT",
     {"expression": "'a'", "sourceType": '"STRING"', "targetType": '"INT"'}),
    (lambda spark: spark.sql("selec 1"), ParseException, "PARSE_SYNTAX_ERROR", {"error": "'selec'", "hint": ""}),
    (lambda spark: spark.sql("insert into t values (1)"), UnsupportedOperationException, "UNSUPPORTED_FEATURE", {}),
    (lambda spark: spark.table("nope"), AnalysisException, "TABLE_OR_VIEW_NOT_FOUND", {"relationName": "`nope`"}),
    (lambda spark: spark.conf.get("no.such"), SparkNoSuchElementException, "SQL_CONF_NOT_FOUND", {"sqlConf": '"no.such"'}),
    (lambda spark: spark.conf.set("spark.sql.session.timeZone", "Mars"), IllegalArgumentException, "INVALID_CONF_VALUE.TIME_ZONE",
     {"confValue": "Mars", "confName": "spark.sql.session.timeZone"}),
    (lambda spark: spark.sql("select :a"), AnalysisException, "UNBOUND_SQL_PARAMETER", {"name": "a"}),
    (lambda spark: spark.range(1).select(1), PySparkTypeError, "NOT_EXPECTED_TYPE",
     {"arg_name": "cols", "expected_type": "Column or str", "arg_type": "int"}),
    (lambda spark: spark.range(1).dropna("some"), PySparkValueError, "VALUE_NOT_ALLOWED",
     {"arg_name": "how", "allowed_values": "['any', 'all']"}),
])
def test_condition_and_parameters(spark, make, kind, condition, parameters):
    with pytest.raises(kind) as caught:
        make(spark)
    assert caught.value.getCondition() == caught.value.getErrorClass() == condition
    assert caught.value.getMessageParameters() == parameters
    assert caught.value.getMessage().startswith(f"[{condition}] ")


@pytest.mark.parametrize("text, condition", [
    ("soon", "UNRECOGNIZED_NUMBER"), ("5x seconds", "INVALID_VALUE"), ("0.1234567891 seconds", "INVALID_PRECISION"),
    ("5", "MISSING_UNIT"), ("5 s", "INVALID_UNIT"), ("5 nanoseconds", "INVALID_UNIT"), ("1.5 days", "INVALID_FRACTION"),
    ("9999999999999 days", "ARITHMETIC_EXCEPTION")])
def test_a_trigger_tells_what_is_wrong_with_its_interval(spark, text, condition):
    writer = spark.readStream.format("rate").load().writeStream
    with pytest.raises(IllegalArgumentException) as caught:
        writer.trigger(processingTime=text)
    assert caught.value.getCondition() == f"INVALID_INTERVAL_FORMAT.{condition}"
    assert f"'{text}'" in str(caught.value)


def test_a_mistake_in_a_type_is_marked_in_the_whole_text(spark):
    with pytest.raises(ParseException) as caught:
        spark.sql("select 1 + cast(id as array<nope>) from range(1)")
    assert str(caught.value).endswith(
        "(line 1, pos 28)\n\n== SQL ==\nselect 1 + cast(id as array<nope>) from range(1)\n" + "-" * 28 + "^^^\n")


def test_names_of_places_fit_the_texts():
    rows = {row[0]: row[4] for row in _native.errors()}
    for name, forms in PLACES.items():
        if name not in rows:  # an error that nothing raises any more
            continue
        wanted = sum(form.count("%s") for form in forms)
        assert len(PLACE.findall(rows[name].replace("%%", ""))) == wanted, name
