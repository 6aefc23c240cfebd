"""librdkafka's mock cluster, for faults: brokers that go down, move leaders, answer late or with an error.

It keeps at most 5 MiB and 100,000 records a partition, and knows no look-up by time, no aborted transactions, no admin
requests.
"""
from __future__ import annotations

import ctypes
import enum
from ctypes import POINTER, c_char_p, c_int, c_int16, c_size_t, c_void_p

PRODUCER = 0


class Api(enum.IntEnum):
    """Requests, by the protocol's numbers."""
    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    API_VERSIONS = 18
    INIT_PRODUCER_ID = 22
    ADD_PARTITIONS_TO_TXN = 24
    ADD_OFFSETS_TO_TXN = 25
    END_TXN = 26
    TXN_OFFSET_COMMIT = 28


class Error(enum.IntEnum):
    """The protocol's errors, and TRANSPORT: the connection breaks."""
    TRANSPORT = -195
    NONE = 0
    OFFSET_OUT_OF_RANGE = 1
    UNKNOWN_TOPIC_OR_PARTITION = 3
    LEADER_NOT_AVAILABLE = 5
    NOT_LEADER = 6
    REQUEST_TIMED_OUT = 7
    MESSAGE_TOO_LARGE = 10
    COORDINATOR_LOAD_IN_PROGRESS = 14
    COORDINATOR_NOT_AVAILABLE = 15
    NOT_COORDINATOR = 16
    NOT_ENOUGH_REPLICAS = 19
    TOPIC_AUTHORIZATION_FAILED = 29
    GROUP_AUTHORIZATION_FAILED = 30
    CLUSTER_AUTHORIZATION_FAILED = 31
    INVALID_PRODUCER_EPOCH = 47
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53
    UNSTABLE_OFFSET_COMMIT = 88
    PRODUCER_FENCED = 90


def load() -> ctypes.CDLL:
    lib = ctypes.CDLL("librdkafka.so.1")
    for name, result, arguments in (
            ("rd_kafka_conf_new", c_void_p, []), ("rd_kafka_new", c_void_p, [c_int, c_void_p, c_char_p, c_size_t]),
            ("rd_kafka_destroy", None, [c_void_p]), ("rd_kafka_version_str", c_char_p, []),
            ("rd_kafka_err2str", c_char_p, [c_int]),
            ("rd_kafka_mock_cluster_new", c_void_p, [c_void_p, c_int]), ("rd_kafka_mock_cluster_destroy", None, [c_void_p]),
            ("rd_kafka_mock_cluster_bootstraps", c_char_p, [c_void_p]),
            ("rd_kafka_mock_topic_create", c_int, [c_void_p, c_char_p, c_int, c_int]),
            ("rd_kafka_mock_topic_set_error", None, [c_void_p, c_char_p, c_int]),
            ("rd_kafka_mock_partition_set_leader", c_int, [c_void_p, c_char_p, c_int, c_int]),
            ("rd_kafka_mock_broker_set_down", c_int, [c_void_p, c_int]), ("rd_kafka_mock_broker_set_up", c_int, [c_void_p, c_int]),
            ("rd_kafka_mock_broker_set_rtt", c_int, [c_void_p, c_int, c_int]),
            ("rd_kafka_mock_clear_request_errors", None, [c_void_p, c_int16]),
            ("rd_kafka_mock_push_request_errors_array", None, [c_void_p, c_int16, c_size_t, POINTER(c_int)])):
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


class MockCluster:
    """Brokers 1..n; use as a context manager."""

    def __init__(self, brokers: int = 1):
        self.lib, self.brokers = load(), range(1, brokers + 1)
        text = ctypes.create_string_buffer(512)
        self._client = self.lib.rd_kafka_new(PRODUCER, self.lib.rd_kafka_conf_new(), text, len(text))
        if not self._client:
            raise RuntimeError(text.value.decode())
        self._cluster = self.lib.rd_kafka_mock_cluster_new(self._client, brokers)
        self.bootstrap = self.lib.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def _must(self, error: int) -> None:
        if error:
            raise RuntimeError(self.lib.rd_kafka_err2str(error).decode())

    def create(self, topic: str, partitions: int = 1, replicas: int = 1) -> str:
        self._must(self.lib.rd_kafka_mock_topic_create(self._cluster, topic.encode(), partitions, replicas))
        return topic

    def fail(self, api: Api, *errors: Error) -> None:
        """The next requests of this kind are answered so."""
        self.lib.rd_kafka_mock_push_request_errors_array(self._cluster, api, len(errors), (c_int * len(errors))(*errors))

    def stop_failing(self, api: Api) -> None:
        self.lib.rd_kafka_mock_clear_request_errors(self._cluster, api)

    def set_topic_error(self, topic: str, error: Error) -> None:
        """What metadata says of the topic."""
        self.lib.rd_kafka_mock_topic_set_error(self._cluster, topic.encode(), error)

    def lead(self, topic: str, partition: int, broker: int) -> None:
        self._must(self.lib.rd_kafka_mock_partition_set_leader(self._cluster, topic.encode(), partition, broker))

    def down(self, *brokers: int) -> None:
        for broker in brokers or self.brokers:
            self._must(self.lib.rd_kafka_mock_broker_set_down(self._cluster, broker))

    def up(self, *brokers: int) -> None:
        for broker in brokers or self.brokers:
            self._must(self.lib.rd_kafka_mock_broker_set_up(self._cluster, broker))

    def delay(self, milliseconds: int) -> None:
        """Each answer takes so long."""
        for broker in self.brokers:
            self._must(self.lib.rd_kafka_mock_broker_set_rtt(self._cluster, broker, milliseconds))

    def close(self) -> None:
        if self._cluster:
            self.lib.rd_kafka_mock_cluster_destroy(self._cluster)
            self.lib.rd_kafka_destroy(self._client)
            self._cluster = None

    def __enter__(self) -> MockCluster:
        return self

    def __exit__(self, *_) -> None:
        self.close()
