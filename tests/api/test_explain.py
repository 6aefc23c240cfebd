"""What explain() prints."""
import pytest


@pytest.mark.parametrize("mode, end", [("simple", "\n\n\n"), ("formatted", "\n\n\n"), ("extended", "\n\n")])
def test_the_plan_ends_as_in_spark(spark, capsys, mode, end):
    spark.range(3).where("id > 1").explain(mode)
    text = capsys.readouterr().out
    assert text[len(text.rstrip("\n")):] == end
    assert "== Physical Plan ==\n" in text
