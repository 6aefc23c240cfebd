"""The old home of the exceptions."""
from pystream.errors import *  # noqa: F401,F403
from pystream.errors import (  # noqa: F401
    AnalysisException, IllegalArgumentException, ParseException, PySparkException, PythonException,
    QueryExecutionException, SparkUpgradeException, StreamingQueryException, UnknownException)


def is_remote() -> bool:
    """False: there is no remote mode."""
    return False
