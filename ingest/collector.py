"""What a collector does with a body, whichever way it came: decode, read, mask, fingerprint, store; then, and only then, say so."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ingest.batch import Masks, Payloads, to_tables
from ingest.commit import GroupCommit
from ingest.json_traces import lines
from ingest.otlp import json as otlp_json
from ingest.otlp import protobuf
from ingest.otlp.items import Decoded, Refusals
from ingest.otlp.protobuf import Traces
from ingest.reading import read_request
from ingest.unknown import Unknown, Vocabulary
from store.errors import DiskError, SourceError
from store.rejected import KEPT_BYTES, Rejected
from store.spool import Spool

DECODERS: dict[tuple[str, str], Callable[[bytes], Decoded | Traces]] = {
    ("traces", "protobuf"): Traces,
    ("traces", "json"): otlp_json.decode_traces,
    ("logs", "protobuf"): protobuf.decode_logs,
    ("logs", "json"): otlp_json.decode_logs,
}
SPOOL_CHECK_EVERY, SPOOL_CHECK_BYTES = 64, 64 << 20
"""After so many requests, or bytes of them, the spool is measured again."""

REASONS_SHOWN = 10
LONGEST_SECRET = 16 << 10
"""Bytes; private keys are the longest."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request: how many items are on disk, how many were refused, and why."""

    accepted: int = 0
    refused: int = 0
    message: str = ""


@dataclass(slots=True)
class Counts:
    """Since the collector started: what came, what was refused, which dialects spoke."""

    requests: int = 0
    accepted: int = 0
    refused: int = 0
    dialects: Counter[str] = field(default_factory=Counter)
    unknown: Unknown = field(default_factory=Unknown)

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "accepted": self.accepted, "refused": self.refused, "requests": self.requests, "dialects": dict(self.dialects),
            "unknown": self.unknown.listed(),
        }


@dataclass(slots=True)
class _Held:
    """How many items a body holds, as far as it is known."""

    items: int = 1


class Collector:
    """The part that gRPC and HTTP share. Thread-safe."""

    def __init__(self, spool: Spool, rejected: Rejected, masks: Masks, payloads: Payloads, spool_bytes: int) -> None:
        self._spool, self._rejected, self._masks, self._payloads, self._spool_bytes = spool, rejected, masks, payloads, spool_bytes
        self._commit = GroupCommit(spool)
        self._lock = threading.Lock()
        self._since_check, self._bytes_since_check = SPOOL_CHECK_EVERY, 0
        self._is_full = False
        self.counts = Counts()

    def accept_otlp(self, signal: str, encoding: str, body: bytes, source: str) -> Answer:
        """Take an Export request of `traces` or `logs` in `protobuf` or `json`.

        Raises SourceError where the body is none of that (it is kept in `rejected/`), DiskError where it cannot be stored.
        """
        self._check_room(len(body))
        with self._kept_if_unreadable(body, source) as held:
            request = DECODERS[signal, encoding](body)
            held.items = len(request)
            read = read_request(request)
            batch = to_tables(read.records, self._masks, self._payloads, columns=read.tables)
        self._commit.store(batch)
        refused = request.refused
        if refused:
            self._refuse(body, _joined(refused), source, len(refused))
        self._count(read.accepted, read.claimed, read.unknown)
        return Answer(read.accepted, len(refused), _joined(refused or request.warnings))

    def accept_calls(self, body: bytes, source: str) -> Answer:
        """Take lines of logs: tool calls, MCP messages, transcripts and so on.

        Raises SourceError where not one of them can be read, DiskError where they cannot be stored.
        """
        self._check_room(len(body))
        with self._kept_if_unreadable(body, source) as held:
            taken = lines.read_body(body)
            refused, accepted = taken.refused, taken.claimed.total()
            held.items = accepted + len(refused)
            batch = to_tables(taken.records, self._masks, self._payloads)
        if refused and not accepted:
            self._refuse(body, _joined(refused), source, len(refused))
            raise SourceError(_joined(refused))
        self._commit.store(batch)
        if refused:
            self._refuse(body, _joined(refused), source, len(refused))
        self._count(accepted, taken.claimed, set())
        return Answer(accepted, len(refused), _joined(refused))

    def refuse(self, body: bytes, reason: str, source: str) -> None:
        """Keep a body that never got so far as to be decoded."""
        self._refuse(body, reason, source, 1)

    def told(self) -> dict[str, Any]:
        """What came so far, as JSON."""
        with self._lock:
            return self.counts.told()

    def stop(self) -> None:
        """Finish what was begun."""
        self._commit.stop()

    @contextmanager
    def _kept_if_unreadable(self, body: bytes, source: str) -> Iterator[_Held]:
        """A mistake of ours must not lose what somebody sent, nor have it sent again for ever: it is kept, and said."""
        held = _Held()
        try:
            yield held
        except SourceError as error:
            self._refuse(body, str(error), source, 1)
            raise
        except Exception as error:
            reason = f"the request could not be read, which is a mistake of the collector: {type(error).__name__}: {error}"
            self._refuse(body, reason, source, held.items)
            raise SourceError(reason) from error

    def _refuse(self, body: bytes, reason: str, source: str, count: int) -> None:
        self._rejected.keep(self._masked_beginning(body), reason, source, len(body))
        with self._lock:
            self.counts.refused += count

    def _masked_beginning(self, body: bytes) -> bytes:
        """As much as is kept, without secrets, nor the first half of one that the cut goes through."""
        begun = body[: KEPT_BYTES + LONGEST_SECRET]
        (masked,), _ = self._masks.mask_all([begun.decode("utf-8", "surrogateescape")])
        clean = (masked or "").encode("utf-8", "surrogateescape")
        return clean if begun == body else clean[:-LONGEST_SECRET]

    def _count(self, accepted: int, claimed: Counter[str], unknown: set[Vocabulary]) -> None:
        with self._lock:
            self.counts.unknown.note(unknown)
            self.counts.requests += 1
            self.counts.accepted += accepted
            self.counts.dialects += claimed

    def _check_room(self, incoming: int) -> None:
        """Ask senders to come back while the engine is too far behind."""
        with self._lock:
            self._since_check += 1
            self._bytes_since_check += incoming
            if self._since_check >= SPOOL_CHECK_EVERY or self._bytes_since_check >= SPOOL_CHECK_BYTES or self._is_full:
                self._since_check = self._bytes_since_check = 0
                try:
                    self._is_full = self._spool.size()[1] > self._spool_bytes
                except OSError as error:
                    raise DiskError(f"{self._spool.folder} cannot be read: {error}") from error
            is_full = self._is_full
        if is_full:
            raise DiskError("the spool holds as much as the setting collect.spool_bytes allows; the engine is behind or not running")


def _joined(reasons: Refusals | list[str]) -> str:
    more = f" (and {len(reasons) - REASONS_SHOWN} more)" if len(reasons) > REASONS_SHOWN else ""
    return "; ".join(islice(reasons, REASONS_SHOWN)) + more


