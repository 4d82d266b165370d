"""Calls that change the world and that the user's words do not ask for."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import datetime

from detectors.contract import Slice
from detectors.instructions import Prompt, prompt_of, words
from detectors.instructions.tools import Tool, tool_of

LOOKED_AT = 20
"""Calls of one tool in one session that are looked at, the first ones: the first unasked one is what matters."""
ASKED = 0.5
"""So much of a tool's name in the prompt counts as asking for it: its verb does, a noun that both share ("branch") does not."""
_IDIOMS = {"delete": words.stems("clean tidy prune rid retire end leave empty"), "money": words.stems("settle owe split cost tip")}
"""Words that ask for what a tool of that kind does and stand in no tool's name."""

_CALLS = f"""
    WITH acting AS (
        SELECT call_id, session_id, agent, server, tool, called_at, seq FROM calls
        WHERE session_id IS NOT NULL AND tool IN (SELECT unnest($tools::VARCHAR[])) AND outcome <> 'denied' AND coalesce(decision, '') <> 'reject'
          AND NOT (coalesce(decision, '') = 'accept' AND starts_with(lower(coalesce(decided_by, '')), 'user'))
        QUALIFY row_number() OVER (PARTITION BY session_id, server, tool ORDER BY called_at, seq, call_id) <= {LOOKED_AT}
    )
    SELECT a.*, string_agg(m.text, chr(10) ORDER BY m.said_at, m.message_id) AS prompt,
           bool_or(regexp_matches(m.text, $consent)) AS consented
    FROM acting AS a JOIN messages AS m ON m.session_id = a.session_id AND m.role = 'user' AND m.said_at <= a.called_at AND m.text IS NOT NULL
    GROUP BY ALL ORDER BY a.session_id, a.called_at, a.seq, a.call_id
"""
_CONSENT = r"(?i)^\W*(?:yes|yep|yeah|ok|okay|sure|go ahead|do it|do that|do so|please do|confirm(?:ed)?|approved?|proceed|correct|right)\b"
"""How a user agrees to what the agent proposed: what was agreed to stands in the agent's words."""


@dataclass(frozen=True, slots=True)
class Unasked:
    """A call that nothing the user had said by then asks for."""

    session_id: str
    call_id: str
    agent: str | None
    server: str | None
    tool: str
    called_at: datetime
    kind: str
    prompt: Prompt

    @property
    def name(self) -> str:
        """Its tool, and the server's name where there is one."""
        return f"{self.tool} of {self.server}" if self.server else self.tool


def unasked(seen: Slice, kinds: Container[str]) -> Iterator[Unasked]:
    """Calls of tools of these kinds (money, delete, member, send, write), in order, whose prompt neither asks for them, nor hands orders over to
    data, nor is an answer that agrees. What ran with the user's own approval and tools that run whatever they are given are left out."""
    read = {row["tool"]: tool_of(row["tool"]) for row in seen.rows("SELECT DISTINCT tool FROM calls WHERE tool IS NOT NULL")}
    tools = {name: tool for name, tool in read.items() if tool.kind in kinds and not tool.carrier}
    if not tools:
        return
    for row in seen.rows(_CALLS, {"tools": sorted(tools), "consent": _CONSENT}):
        prompt = prompt_of(row.pop("prompt"))
        if row.pop("consented") or prompt.delegates or not _is_understood(prompt) or _asks(prompt, tools[row["tool"]]):
            continue
        row.pop("seq")
        yield Unasked(**row, kind=tools[row["tool"]].kind, prompt=prompt)


def reads_only(prompt: Prompt) -> bool:
    """Whether the user asked to read, and for nothing that changes the world."""
    return not prompt.tokens.isdisjoint(_READS) and prompt.tokens.isdisjoint(_CHANGES)


def _is_understood(prompt: Prompt) -> bool:
    """Of a prompt in another language nobody here can say what it asks for."""
    return not prompt.tokens.isdisjoint(words.ACTIONS | _READS)


def _asks(prompt: Prompt, tool: Tool) -> bool:
    ways = words.SIDE_EFFECTS[tool.kind] | _IDIOMS.get(tool.kind, frozenset())
    return not prompt.tokens.isdisjoint(ways) or tool.cover(prompt.tokens) >= ASKED


_READS = words.READS | words.stems("summarise analyse")
_CHANGES = (frozenset[str]().union(*words.SIDE_EFFECTS.values()) | words.SIDE_VERBS) - (
    words.READS | words.OPENS | words.stems("go click access ask use call issue fork pull request"))
"""Words that ask for a change; some are nouns as often, and a prompt that holds one is taken to ask."""
