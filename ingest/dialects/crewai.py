"""CrewAI's own telemetry: spans `Tool Usage`, `Tool Usage Error`, `Tool Repeated Usage`."""

from collections.abc import Iterator
from typing import Any

from ingest.dialects.contract import Dialect, call, first, parsed, said_by, session_of, text
from ingest.otlp.items import Item
from store.records import Observer, Outcome, Record, SessionSource

NAME = "crewai"
SCOPE = "crewai.telemetry"
ENDED = {
    "Tool Usage": (Outcome.OK, None),
    "Tool Usage Error": (Outcome.ERROR, "tool_usage_error"),
    "Tool Repeated Usage": (Outcome.ERROR, "repeated_usage"),
}
"""A repeated usage is answered with an admonition instead of being run."""


def recognises(item: Item) -> bool:
    """Its scope, or the names of its spans."""
    return item.source.scope == SCOPE or (item.name in ENDED and "gen_ai.tool.name" not in item.attributes)


def read(item: Item) -> Iterator[Record]:
    """A call for each usage of a tool; what a crew was asked and answered, where its users share that."""
    session_id, source = session_of(item)
    crew = text(first(item, "crew_id"))
    if session_id is None and crew:
        session_id, source = crew, int(SessionSource.SESSION)
    if item.name not in ENDED:
        tasks: Any = parsed(first(item, "crew_tasks"))
        for task in tasks if isinstance(tasks, list) else []:
            if isinstance(task, dict) and isinstance(asked := task.get("description"), str) and asked:
                yield said_by(item, NAME, "user", asked, session_id, source)
        if isinstance(answer := first(item, "crew_output"), str):
            yield said_by(item, NAME, "assistant", answer, session_id, source, item.ended_ns)
        return
    outcome, error_type = ENDED[item.name]
    yield call(
        item, NAME, text(first(item, "tool_name")) or "(unnamed)", Observer.AGENT, session_id=session_id, session_source=source,
        agent=text(first(item, "agent_role", "agent_name")) or item.source.named("service.name"), outcome=outcome, error_type=error_type,
    )


DIALECT = Dialect(
    rank=72, recognises=recognises, read=read,
    carries="tool, outcome, the agent's role; tasks and the answer of a crew that is shared",
    never_carries="arguments, results, the crew of a call, its id and duration; use OpenInference or OpenLLMetry with CrewAI for those",
)
