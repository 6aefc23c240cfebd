"""Statistics of a DataFrame's columns."""
from __future__ import annotations

from typing import TYPE_CHECKING

from pystream.errors import PySparkValueError, _not_implemented, _wrong_type
from pystream.sql.column import _flat

if TYPE_CHECKING:
    from pystream.sql.dataframe import DataFrame


class _Statistics:
    """The part of DataFrame that describes columns by numbers."""

    def describe(self, *cols) -> DataFrame:
        """Count, mean, deviation, least and greatest value of the numeric and text columns, or of those named.

        Examples
        --------
        >>> spark.range(3).describe().collect()[1]
        Row(summary='mean', id='1.0')
        """
        from pystream.sql import _reshape
        return _reshape.summary(self, _flat(cols), ("count", "mean", "stddev", "min", "max"))

    def summary(self, *statistics) -> DataFrame:
        """Statistics of every numeric and text column: count, mean, stddev, min, max, percentiles such as ``"25%"``.

        Examples
        --------
        >>> spark.range(5).summary("min", "50%", "max").collect()
        [Row(summary='min', id='0'), Row(summary='50%', id='2'), Row(summary='max', id='4')]
        """
        from pystream.sql import _reshape
        default = ("count", "mean", "stddev", "min", "25%", "50%", "75%", "max")
        return _reshape.summary(self, (), _flat(statistics) or default)

    def sampleBy(self, col, fractions, seed=None) -> DataFrame:
        """A share of the rows for each value of a column, chosen at random."""
        from pystream.sql import _reshape
        return _reshape.sample_by(self, col, fractions, seed)

    def approxQuantile(self, col, probabilities, relativeError):
        """Quantiles of numeric columns.

        Examples
        --------
        >>> spark.range(11).approxQuantile("id", [0.0, 0.5, 1.0], 0.0)
        [0.0, 5.0, 10.0]
        """
        from pystream.sql import _reshape
        return _reshape.approx_quantile(self, col, probabilities, relativeError)

    def corr(self, col1: str, col2: str, method: str | None = None) -> float:
        """The correlation of two columns."""
        from pystream.sql import _reshape
        if method not in (None, "pearson"):
            raise PySparkValueError(
                errorClass="VALUE_NOT_PEARSON", message="Value for `method` only supports the 'pearson'.",
                messageParameters={"arg_name": "method", "arg_value": str(method)})
        return _reshape.two_columns(self, "corr", col1, col2)

    def cov(self, col1: str, col2: str) -> float:
        """The covariance of two columns."""
        from pystream.sql import _reshape
        return _reshape.two_columns(self, "covar_samp", col1, col2)

    def crosstab(self, col1: str, col2: str) -> DataFrame:
        """How often each pair of values stands in two columns."""
        from pystream.sql import _reshape
        for name, value in (("col1", col1), ("col2", col2)):
            if not isinstance(value, str):
                raise _wrong_type(name, "str", value)
        return _reshape.crosstab(self, col1, col2)

    def freqItems(self, cols, support=None) -> DataFrame:
        """Values that stand in many rows: not part of this version."""
        raise _not_implemented("DataFrame.freqItems")

    @property
    def stat(self) -> DataFrameStatFunctions:
        """Statistical methods."""
        return DataFrameStatFunctions(self)


class DataFrameStatFunctions:
    """Statistical methods; `DataFrame.stat`."""

    def __init__(self, df: DataFrame):
        self._df = df

    def approxQuantile(self, col, probabilities, relativeError):
        """As `DataFrame.approxQuantile`."""
        return self._df.approxQuantile(col, probabilities, relativeError)

    def corr(self, col1: str, col2: str, method: str | None = None) -> float:
        """As `DataFrame.corr`."""
        return self._df.corr(col1, col2, method)

    def cov(self, col1: str, col2: str) -> float:
        """As `DataFrame.cov`."""
        return self._df.cov(col1, col2)

    def crosstab(self, col1: str, col2: str) -> DataFrame:
        """As `DataFrame.crosstab`."""
        return self._df.crosstab(col1, col2)

    def freqItems(self, cols, support=None) -> DataFrame:
        """As `DataFrame.freqItems`."""
        return self._df.freqItems(cols, support)

    def sampleBy(self, col, fractions, seed=None) -> DataFrame:
        """As `DataFrame.sampleBy`."""
        return self._df.sampleBy(col, fractions, seed)
