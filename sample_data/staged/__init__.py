"""The staged cases: attacks that the scripted models fall for, and near misses that must stay quiet."""

from collections.abc import Iterator

from sample_data.script import Staged
from sample_data.staged import access, definitions, flows, honest, loops, misuse


def staged(seed: int) -> Iterator[Staged]:
    """Every staged session."""
    for module in (definitions, flows, loops, access, misuse, honest):
        yield from module.sessions(seed)
