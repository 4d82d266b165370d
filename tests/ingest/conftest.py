"""One running receiver for all tests of this folder, empty at the start of each."""

from collections.abc import Iterator

import pytest

from tests.ingest.payloads import span, traces
from tests.ingest.receiver import Receiver, collector_in, receiving


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    folder = tmp_path_factory.mktemp("receiver")
    collector = collector_in(folder)
    collector.accept_otlp("traces", "protobuf", traces(span()).SerializeToString(), "a test")  # compiles what is not in the cache yet
    with receiving(folder, collector) as receiver:
        yield receiver


@pytest.fixture
def receiver(running: Receiver) -> Receiver:
    running.empty()
    return running
