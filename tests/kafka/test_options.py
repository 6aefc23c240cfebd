"""Options that are checked, and what is said of those which are wrong (D.2, D.8)."""
import json
import re

import pytest
from pystream.errors import IllegalArgumentException, StreamingQueryException
from queries import ON_SPARK

NUMBER = r'(?i)for input string|number|not.*(long|int)'
OFFSETS = r'Expected e\.g\. \{"topicA":\{"0":23,"1":-1\},"topicB":\{"0":-2\}\}, got '
TIMES = r'Expected e\.g\. \{"topicA": ?\{"0": ?123456789, ?"1": ?123456789\}'

#: options beside the servers and, where nothing else says what to read, `subscribe`; what the error says.
WRONG = [
    ({"subscribe": None}, "One of the following options must be specified for Kafka source: subscribe, subscribepattern, assign. "
                          "See the docs for more details"),
    ({"assign": "{}"}, "Only one of the following options can be specified for Kafka source: subscribe, subscribepattern, assign"),
    ({"subscribe": None, "assign": "x"}, "No topicpartitions to assign as specified value for option 'assign' is 'x'"),
    ({"subscribe": None, "assign": "{1"}, r'Expected e\.g\. \{"topicA":\[0,1\],"topicB":\[0,1\]\}, got \{1'),
    ({"subscribe": None, "assign": '{"t": "x"}'}, r'Expected e\.g\. \{"topicA":\[0,1\],"topicB":\[0,1\]\}, got '),
    ({"subscribe": " , "}, "No topics to subscribe to as specified value for option 'subscribe' is ' , '"),
    ({"subscribe": None, "subscribePattern": " "}, "Pattern to subscribe is empty as specified value for option 'subscribePattern' is ' '"),
    ({"minPartitions": "a"}, NUMBER), ({"minPartitions": "1.0"}, NUMBER),
    ({"minPartitions": "0"}, "minPartitions must be positive"), ({"minPartitions": "-1"}, "minPartitions must be positive"),
    ({"maxRecordsPerPartition": "0"}, "(?i)maxRecordsPerPartition must be positive"), ({"maxRecordsPerPartition": "x"}, NUMBER),
    ({"kafka_auto_offset_reset": "latest"}, r"Kafka option 'auto\.offset\.reset' is not supported\.\s+Instead set the source option "
                                            r"'startingoffsets'"),
    ({"kafka_key_deserializer": "x"}, r"Kafka option 'key\.deserializer' is not supported"),
    ({"kafka_value_deserializer": "x"}, r"Kafka option 'value\.deserializer' is not supported"),
    ({"kafka_enable_auto_commit": "true"}, r"Kafka option 'enable\.auto\.commit' is not supported"),
    ({"kafka_interceptor_classes": "x"}, r"Kafka option 'interceptor\.classes' is not supported"),
    ({"kafka_bootstrap_servers": None}, r"Option 'kafka\.bootstrap\.servers' must be specified for configuring Kafka consumer"),
    ({"startingOffsets": "{1"}, OFFSETS + r"\{1"), ({"startingOffsets": "sometime"}, OFFSETS + "sometime"),
    ({"startingOffsets": '{"t":{"0":"x"}}'}, OFFSETS),
    ({"startingOffsetsByTimestamp": "x"}, TIMES), ({"startingTimestamp": "x"}, "Expected a single long value, got x"),
]
if not ON_SPARK:  # an error without a class there
    WRONG.append(({"startingOffsetsByTimestampStrategy": "never"}, "(?i)never"))
STREAM_ONLY = [
    ({"endingOffsets": "latest"}, "ending offset not valid in streaming queries"),
    ({"endingOffsetsByTimestamp": "{}"}, "ending timestamp not valid in streaming queries"),
]
BATCH_ONLY = [
    ({"endingOffsets": "{1"}, OFFSETS), ({"endingOffsetsByTimestamp": "x"}, TIMES),
    ({"endingTimestamp": "x"}, "Expected a single long value, got x"),
]


def reader(kafka, kind, options):
    made = getattr(kafka.spark, kind).format("kafka")
    for key, value in {"kafka_bootstrap_servers": kafka.bootstrap, "subscribe": "t", **options}.items():
        if value is not None:
            made = made.option(key.replace("_", "."), value)
    return made


@pytest.mark.parametrize("options, match", WRONG + STREAM_ONLY, ids=str)
def test_wrong_options_end_a_stream(kafka, options, match, tmp_path):
    """At load() or on the query's thread, as Spark does; never later."""
    with pytest.raises((IllegalArgumentException, StreamingQueryException), match=match):
        query = reader(kafka, "readStream", options).load().writeStream.format("noop").option("checkpointLocation", str(tmp_path)).start()
        kafka.started.append(query)
        query.processAllAvailable()


@pytest.mark.parametrize("options, match", [one for one in WRONG + STREAM_ONLY if "starting" not in str(one[0])], ids=str)
def test_wrong_options_of_a_stream_at_load(kafka, options, match):
    """Where no look at offsets is needed, before there is a query."""
    with pytest.raises(IllegalArgumentException, match=match):
        reader(kafka, "readStream", options).load()


@pytest.mark.parametrize("options, match", WRONG + BATCH_ONLY, ids=str)
def test_wrong_options_of_a_batch(kafka, options, match):
    with pytest.raises(IllegalArgumentException, match=match):
        reader(kafka, "read", options).load().collect()


#: In Spark such an offset fails a task, and such a time means to a broker what the protocol says.
NEGATIVE = [("startingOffsets", {"t": {"0": 0, "1": -3}}, "startingOffsets for t-1 can't be -3: an offset is 0 or more, -1 stands for"),
            ("endingOffsets", {"t": {"0": -(1 << 63)}}, "endingOffsets for t-0 can't be -9223372036854775808: "),
            ("startingTimestamp", -3, "startingTimestamp can't be -3: a time is milliseconds since 1970."),
            ("endingTimestamp", -9, "endingTimestamp can't be -9: .* For the earliest or the latest offset set endingOffsets"),
            ("startingOffsetsByTimestamp", {"t": {"0": 5, "1": -4}}, "startingOffsetsByTimestamp can't be -4: "),
            ("endingOffsetsByTimestamp", {"t": {"0": -5}}, "endingOffsetsByTimestamp can't be -5: ")]


@pytest.mark.ours
@pytest.mark.parametrize("key, value, message", NEGATIVE, ids=str)
def test_offsets_and_times_below_zero(kafka, key, value, message):
    options = {"subscribe": "t", key: value if isinstance(value, int) else json.dumps(value)}
    with pytest.raises(IllegalArgumentException, match=message):
        kafka.table(**options)
    if key.startswith("starting"):
        with pytest.raises(StreamingQueryException, match=message):
            kafka.follow(**options).settle()


@pytest.mark.parametrize("key", ["Subscribe", "STARTINGOFFSETS", "KAFKA.Bootstrap.Servers"])
def test_names_in_any_case(kafka, judge, topic, key):
    name = topic()
    judge.produce(name, "a")
    options = {"kafka.bootstrap.servers": kafka.bootstrap, "subscribe": name, "startingOffsets": "earliest"}
    options = {key if key.lower() == known.lower() else known: value for known, value in options.items()}
    df = kafka.spark.readStream.format("kafka").options(**options).load().selectExpr("CAST(value AS STRING)")
    assert kafka.follow(df).settle() == ["a"]


#: Properties of the Java client that a reader takes.
CONSUMER = {
    "kafka.client.id": "tester", "kafka.client.rack": "r", "kafka.session.timeout.ms": 30000, "kafka.heartbeat.interval.ms": 1000,
    "kafka.max.poll.interval.ms": 300000, "kafka.fetch.min.bytes": 1, "kafka.fetch.max.bytes": 10_000_000,
    "kafka.max.partition.fetch.bytes": 1_000_000, "kafka.metadata.max.age.ms": 10000, "kafka.connections.max.idle.ms": 60000,
    "kafka.reconnect.backoff.ms": 50, "kafka.reconnect.backoff.max.ms": 1000, "kafka.retry.backoff.ms": 100,
    "kafka.security.protocol": "PLAINTEXT", "kafka.isolation.level": "read_uncommitted", "kafka.check.crcs": "true",
    "kafka.allow.auto.create.topics": "false", "kafka.fetch.max.wait.ms": 100, "kafka.receive.buffer.bytes": 65536,
    "kafka.send.buffer.bytes": 65536, "kafka.request.timeout.ms": 20000, "kafka.retry.backoff.max.ms": 900,
    "kafka.max.poll.records": 500, "kafka.default.api.timeout.ms": 60000, "kafka.exclude.internal.topics": "true",
    "kafka.partition.assignment.strategy": "org.apache.kafka.clients.consumer.RangeAssignor", "kafka.metrics.num.samples": 2,
    "kafka.metrics.recording.level": "INFO",
}


@pytest.mark.parametrize("key", CONSUMER)
def test_properties_of_the_java_consumer(kafka, judge, topic, key):
    name = topic()
    judge.produce(name, "a")
    df = (kafka.spark.read.format("kafka").option("kafka.bootstrap.servers", kafka.bootstrap).option("subscribe", name)
          .option(key, CONSUMER[key]).load())
    assert df.count() == 1


#: What has no equivalent: the option, and what the error names.
REFUSED = [
    ({"kafka.sasl.kerberos.kinit.cmd": "kinit"}, "sasl.kerberos.kinit.cmd"),
    ({"kafka.sasl.login.callback.handler.class": "x.Y"}, "sasl.login.callback.handler.class"),
    ({"kafka.sasl.client.callback.handler.class": "x.Y"}, "sasl.client.callback.handler.class"),
    ({"kafka.sasl.login.class": "x.Y"}, "sasl.login.class"),
    ({"kafka.java.security.auth.login.config": "/x"}, "java.security.auth.login.config"),
    ({"kafka.ssl.truststore.location": "{jks}"}, "PEM"),
    ({"kafka.ssl.truststore.location": "{jks}", "kafka.ssl.truststore.type": "JKS"}, "PEM"),
    ({"kafka.ssl.keystore.location": "{jks}", "kafka.ssl.keystore.type": "JKS"}, "JKS|PKCS12|PEM"),
    ({"kafka.sasl.jaas.config": "com.x.OtherModule required a=\"b\";"}, "login module"),
    ({"kafka.no.such.property": "1"}, "no.such.property"),
    ({"kafka.fetch.min.byte": "1"}, "fetch.min.byte'.*'fetch.min.bytes'"),
    ({"kafka.fetch.min.bytes": "many"}, "fetch.min.bytes"),
    ({"kafka.isolation.level": "read_all"}, "isolation.level|read_all"),
    ({"kafka.security.protocol": "HTTP"}, "security.protocol|HTTP"),
]


@pytest.mark.ours
@pytest.mark.parametrize("options, match", REFUSED, ids=str)
def test_properties_without_an_equivalent(kafka, tmp_path, options, match):
    (tmp_path / "store.jks").write_bytes(b"\xfe\xed\xfe\xed" + bytes(100))
    options = {key: value.format(jks=tmp_path / "store.jks") for key, value in options.items()}
    with pytest.raises(IllegalArgumentException, match="(?s)" + match):
        kafka.table(subscribe="t", **options).collect()


IGNORED = ["kafka.ssl.protocol", "kafka.ssl.enabled.protocols", "kafka.ssl.provider", "kafka.ssl.keymanager.algorithm",
           "kafka.ssl.trustmanager.algorithm", "kafka.ssl.secure.random.implementation", "kafka.security.providers"]


@pytest.mark.ours
@pytest.mark.parametrize("key", IGNORED)
def test_properties_of_java_alone_are_passed_over(kafka, judge, topic, key, caplog):
    name = topic()
    judge.produce(name, "a")
    with caplog.at_level("WARNING", "pystream.kafka"):
        assert kafka.values(subscribe=name, **{key: "x"}) == ["a"]
    told = [record.getMessage() for record in caplog.records if record.name == "pystream.kafka"]
    told = [text for text in told if re.search("(?i)option|config", text)]
    assert told == [f"Kafka option '{key.removeprefix('kafka.')}' has no effect here."]  # once, though a read has two clients


def test_group_ids(kafka, judge, topic):
    """No group is joined, and nothing committed."""
    name = topic()
    judge.produce(name, "a")
    for options in ({"groupIdPrefix": "mine"}, {"kafka_group_id": f"{name}-group"}):
        follower = kafka.follow(subscribe=name, startingOffsets="earliest", **options)
        assert follower.settle() == ["a"]
        follower.stop()
    assert not [offset for group in judge.groups() if name in group for offset in judge.group_offsets(group).values() if offset >= 0]


def test_retries_and_timeouts_are_taken(kafka, judge, topic):
    name = topic()
    judge.produce(name, "a")
    options = {"fetchOffset.numRetries": 1, "fetchOffset.retryIntervalMs": 5, "kafkaConsumer.pollTimeoutMs": 30000}
    assert kafka.follow(subscribe=name, startingOffsets="earliest", **options).settle() == ["a"]


@pytest.mark.ours
@pytest.mark.parametrize("key", ["fetchOffset.numRetries", "fetchOffset.retryIntervalMs", "kafkaConsumer.pollTimeoutMs",
                                 "maxOffsetsPerTrigger", "minOffsetsPerTrigger", "maxTriggerDelay", "failOnDataLoss", "includeHeaders"])
def test_values_that_are_none(kafka, topic, key):
    with pytest.raises((IllegalArgumentException, StreamingQueryException), match="(?i)x-y"):
        kafka.follow(subscribe=topic(), **{key: "x-y"}).settle()


def test_unknown_options_are_passed_over(kafka, judge, topic):
    name = topic()
    judge.produce(name, "a")
    assert kafka.values(subscribe=name, someOption="1") == ["a"]


@pytest.mark.ours
def test_spark_packages_are_accepted():
    """The settings with which Spark loads its connector change nothing."""
    from pystream.sql import SparkSession
    session = (SparkSession.builder.config("spark.jars.packages", "org.apache.spark:spark-sql-kafka-0-10_2.13:4.0.0")
               .config("spark.jars", "x.jar").getOrCreate())
    assert session.conf.get("spark.jars.packages", "").startswith("org.apache.spark") or not ON_SPARK


def test_pattern_that_is_none(kafka):
    with pytest.raises(Exception, match=r"(?i)unclosed|pattern|regex|bracket|parenthes"):
        kafka.follow(subscribePattern="a(b").settle()


def test_offsets_of_a_topic_that_is_not_read(kafka, judge, topic):
    name = topic()
    with pytest.raises(StreamingQueryException):
        kafka.follow(subscribe=name, startingOffsets=json.dumps({name: {"0": 0}, "other": {"0": 0}})).settle()
