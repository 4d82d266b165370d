"""One running receiver for all tests of this folder, empty at the start of each."""

from collections.abc import Iterator

import pytest

from tests.ingest.receiver import Receiver, receiving


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiving(tmp_path_factory.mktemp("receiver")) as receiver:
        yield receiver


@pytest.fixture
def receiver(running: Receiver) -> Receiver:
    running.empty()
    return running
