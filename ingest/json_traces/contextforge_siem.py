"""ContextForge (IBM MCP gateway): the JSON of its SIEM export, which tells of authentication and security events."""

from collections.abc import Iterator

from ingest.dialects.contract import digest, text
from ingest.json_traces.contract import Clock, Line, LogFormat, each_line, inside, word
from store.records import Access, Outcome, Record

NAME = "contextforge_siem"
OUTCOMES = {
    "authentication_failure": Outcome.ERROR, "authentication_success": Outcome.OK, "authorization_failure": Outcome.DENIED,
    "brute_force_attempt": Outcome.ERROR, "rate_limit_exceeded": Outcome.DENIED, "token_manipulation": Outcome.ERROR,
}
"""The other kinds are verdicts on content, and no access."""


def recognises(line: Line) -> bool:
    """Its envelope."""
    return "event_id" in line and "event_type" in line and "schema_version" in line and isinstance(line.get("source"), dict)


def read(line: Line, clock: Clock) -> Iterator[Record]:
    """An attempt to get in."""
    outcome = OUTCOMES.get(str(line.get("event_type")))
    at = clock.moment(line.get("timestamp"))
    if outcome is not None:
        yield Access(
            access_id=digest(NAME, word(line.get("event_id"))), accessed_at=at, outcome=outcome, dialect=NAME, method=str(line["event_type"]),
            principal=word(inside(line, "actor", "user_email"), inside(line, "actor", "user_id")),
            client_address=word(inside(line, "actor", "client_ip")), agent=word(inside(line, "actor", "user_agent")),
            server=word(inside(line, "source", "service")), error_message=None if outcome == Outcome.OK else text(line.get("description")),
            session_id=word(inside(line, "context", "correlation_id")),
        )


FORMAT = LogFormat(
    rank=34, recognises=recognises, reader=each_line(read),
    carries="successful and failed authentication and authorization: user, address, why",
    never_carries="calls, arguments, results, prompts, tool definitions; what is not exported, which by default is everything",
)
