"""Catalog: the temporary views of a session."""
from __future__ import annotations

from collections import namedtuple

from pystream.errors import AnalysisException, _not_implemented

__all__ = ["Catalog"]

CatalogMetadata = namedtuple("CatalogMetadata", "name description")
Database = namedtuple("Database", "name catalog description locationUri")
Function = namedtuple("Function", "name catalog namespace description className isTemporary")
Column = namedtuple("Column", "name description dataType nullable isPartition isBucket isCluster")


class Table(namedtuple("Table", "name catalog namespace description tableType isTemporary")):
    """What `Catalog.listTables` tells about a view."""

    @property
    def database(self) -> str | None:
        """The database, or None for a temporary view."""
        return self.namespace[0] if self.namespace else None


class Catalog:
    """Lists and drops views; `spark.catalog`.

    Examples
    --------
    >>> spark.range(1).createOrReplaceTempView("some_view")
    >>> spark.catalog.tableExists("some_view")
    True
    >>> spark.catalog.dropTempView("some_view"), spark.catalog.dropTempView("some_view")
    (True, False)
    """

    def __init__(self, session):
        self._session = session

    def currentCatalog(self) -> str:
        """``spark_catalog``."""
        return "spark_catalog"

    def setCurrentCatalog(self, catalogName: str) -> None:
        """There is one catalog."""
        if catalogName != "spark_catalog":
            raise _not_implemented(f"catalog {catalogName}")

    def listCatalogs(self, pattern: str | None = None) -> list:
        """The one catalog."""
        return [CatalogMetadata("spark_catalog", None)]

    def currentDatabase(self) -> str:
        """``default``."""
        return "default"

    def setCurrentDatabase(self, dbName: str) -> None:
        """There is one database."""
        if dbName != "default":
            raise _not_implemented(f"database {dbName}")

    def listDatabases(self, pattern: str | None = None) -> list:
        """The one database."""
        return [Database("default", "spark_catalog", "default database", "")]

    def databaseExists(self, dbName: str) -> bool:
        """Is it ``default``."""
        return dbName in ("default", "spark_catalog.default")

    def listTables(self, dbName: str | None = None, pattern: str | None = None) -> list[Table]:
        """The temporary views."""
        import fnmatch
        names = sorted(name for name in self._session._engine.view_names() if not name.startswith("global_temp."))
        return [Table(name, None, [], None, "TEMPORARY", True) for name in names
                if pattern is None or fnmatch.fnmatchcase(name, pattern)]

    def getTable(self, tableName: str) -> Table:
        """What is known about a view."""
        self._session.table(tableName)
        return Table(tableName, None, [], None, "TEMPORARY", True)

    def tableExists(self, tableName: str, dbName: str | None = None) -> bool:
        """Is there such a view."""
        try:
            self._session._engine.view_get(f"{dbName}.{tableName}" if dbName else tableName)
        except AnalysisException:
            return False
        return True

    def listColumns(self, tableName: str, dbName: str | None = None) -> list[Column]:
        """The columns of a view."""
        return [Column(field.name, None, field.dataType.simpleString(), field.nullable, False, False, False)
                for field in self._session.table(tableName).schema]

    def listFunctions(self, dbName: str | None = None, pattern: str | None = None) -> list[Function]:
        """The functions of SQL."""
        from pystream import _native
        return [Function(row[0], None, None, row[5], "", True) for row in _native.functions()]

    def functionExists(self, functionName: str, dbName: str | None = None) -> bool:
        """Is there such a function."""
        from pystream import _native
        return any(row[0] == functionName.lower() for row in _native.functions())

    def dropTempView(self, viewName: str) -> bool:
        """Drop a view; was there one."""
        return self._session._engine.view_drop(viewName)

    def dropGlobalTempView(self, viewName: str) -> bool:
        """Drop a view of ``global_temp``; was there one."""
        return self._session._engine.view_drop(f"global_temp.{viewName}")

    def isCached(self, tableName: str) -> bool:
        """False."""
        return False

    def cacheTable(self, tableName: str, storageLevel=None) -> None:
        """Nothing to do, but for a check of the name."""
        self._session.table(tableName)

    def uncacheTable(self, tableName: str) -> None:
        """Nothing to do, but for a check of the name."""
        self._session.table(tableName)

    def clearCache(self) -> None:
        """Nothing to do."""

    def refreshTable(self, tableName: str) -> None:
        """Nothing to do."""

    def refreshByPath(self, path: str) -> None:
        """Nothing to do."""

    def __getattr__(self, name: str):
        if name in ("createTable", "createExternalTable", "recoverPartitions", "registerFunction", "getDatabase",
                    "getFunction", "createDatabase", "dropDatabase", "dropTable", "dropView", "truncateTable",
                    "analyzeTable", "listViews", "listPartitions", "getTableProperties", "getCreateTableString"):
            raise _not_implemented(f"Catalog.{name}")
        raise AttributeError(name)
