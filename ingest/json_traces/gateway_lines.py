"""Access logs of gateways: flat lines that name MCP's method, tool, server and session under keys of their own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ingest.dialects.contract import as_json, digest, number, payload, rest, text
from ingest.json_traces.contract import UNNAMED, Clock, Line, captured, client_of, decided, outcome_of, word
from store.records import Access, Call, Observer, Outcome, Record, SessionSource

FAILED_FROM, DENIED = 400, (401, 403)


@dataclass(frozen=True, slots=True)
class Keys:
    """Under which keys a gateway writes what; the first that has a value counts."""

    method: tuple[str, ...] = ()
    tool: tuple[str, ...] = ()
    server: tuple[str, ...] = ()
    session: tuple[str, ...] = ()
    principal: tuple[str, ...] = ()
    client_address: tuple[str, ...] = ()
    agent: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    duration: tuple[str, ...] = ()
    time: tuple[str, ...] = ("timestamp", "time", "ts")
    request: tuple[str, ...] = ()
    trace: tuple[str, ...] = ()
    span: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    result: tuple[str, ...] = ()
    error_type: tuple[str, ...] = ()
    error: tuple[str, ...] = ()
    decision: tuple[str, ...] = ()
    transport: tuple[str, ...] = ()


def flat_line(name: str, keys: Keys) -> Callable[[Line, Clock], Iterator[Record]]:
    """Makes a reader of such lines: calls, and what failed or connected."""

    def read(line: Line, clock: Clock) -> Iterator[Record]:
        at = clock.moment(_first(line, keys.time))
        told = _word(line, keys.session)
        who = [_word(line, keys.principal), _word(line, keys.agent), host(_word(line, keys.client_address))]
        session, source = (told, SessionSource.MCP_SESSION) if told else (client_of(name, *who), SessionSource.CLIENT)
        status, decision = number(_first(line, keys.status)), decided(_first(line, keys.decision))
        if decision is None and status in DENIED:
            decision = "reject"
        error, method, tool = _first(line, keys.error), _word(line, keys.method), _word(line, keys.tool)
        failed = bool(error or _word(line, keys.error_type)) or (status >= FAILED_FROM if status is not None else None)
        outcome = outcome_of(decision, failed or (None if status is None and not keys.error else False))
        identity = digest(name, as_json(line))
        if tool or method == "tools/call":
            arguments, arguments_state = payload(_first(line, keys.arguments))
            result, result_state = captured(_first(line, keys.result))
            yield Call(
                observation_id=identity, called_at=at, tool=tool or UNNAMED, observed_by=Observer.GATEWAY, dialect=name, session_id=session,
                session_source=source, duration_ms=milliseconds(_first(line, keys.duration)), trace_id=_word(line, keys.trace),
                parent_span_id=_word(line, keys.span), agent=who[1], principal=who[0], client_address=who[2], server=_word(line, keys.server),
                transport=_word(line, keys.transport), arguments=arguments, arguments_state=arguments_state, result=result,
                result_state=result_state, outcome=outcome, error_type=_word(line, keys.error_type), error_message=text(error), decision=decision,
                decided_by=name if decision == "reject" else None,
                attributes=rest((key, line[key]) for key in (*keys.request, *keys.status) if word(line.get(key))),
            )
        elif method == "initialize" or outcome == Outcome.DENIED:
            yield Access(
                access_id=identity, accessed_at=at, outcome=outcome, dialect=name, method=method or "connect", principal=who[0],
                client_address=who[2], agent=who[1], server=_word(line, keys.server), transport=_word(line, keys.transport),
                error_message=text(error), session_id=told,
            )

    return read


def host(address: str | None) -> str | None:
    """An address without its port, which differs from connection to connection: `192.0.2.7:4711`, `[2001:db8::7]:4711`."""
    if address is None:
        return None
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.rpartition(":")[0] if address.count(":") == 1 else address


def milliseconds(value: Any) -> float | None:
    """A duration in milliseconds, or as Go prints it: `1.2s`, `35ms`, `250µs`."""
    if not isinstance(value, str):
        return number(value)
    for unit, factor in (("ms", 1.0), ("µs", 1e-3), ("us", 1e-3), ("ns", 1e-6), ("s", 1e3)):
        if value.endswith(unit):
            found = number(value.removesuffix(unit))
            return None if found is None else found * factor
    return number(value)


def _first(line: Line, keys: tuple[str, ...]) -> Any:
    return next((line[key] for key in keys if line.get(key) not in (None, "", "-")), None)


def _word(line: Line, keys: tuple[str, ...]) -> str | None:
    return word(*(line.get(key) for key in keys))
