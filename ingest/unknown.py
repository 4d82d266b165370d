"""What no dialect knows: where it came from, and which of its keys look like an agent's, so that a dialect is easily added."""

from collections import Counter
from typing import Final, TypeAlias

from ingest.otlp.items import SHOWN_CHARACTERS, Item

WORDS: Final = ("tool", "mcp", "agent", "llm", "gen_ai", "genai", "prompt", "completion", "function", "conversation", "assistant", "chat")
"""A key stands out by one of these. Spans of web servers and databases have none."""

MOST_KEYS, MOST_SOURCES = 40, 100

Vocabulary: TypeAlias = tuple[str, str, tuple[str, ...]]
"""Signal, scope, and the keys that stand out."""


def vocabulary_of(item: Item) -> Vocabulary | None:
    """What an item speaks, where something in it stands out."""
    keys = sorted(key for key in item.attributes if any(word in key.lower() for word in WORDS))
    if not keys:
        return None
    return item.signal, item.source.scope[:SHOWN_CHARACTERS], tuple(key[:SHOWN_CHARACTERS] for key in keys[:MOST_KEYS])


class Unknown:
    """The unknown vocabularies that a collector came across, the first hundred of them, with how many requests spoke each."""

    def __init__(self) -> None:
        self._requests: Counter[Vocabulary] = Counter()

    def note(self, spoken: set[Vocabulary]) -> None:
        """Count what one request spoke."""
        for one in spoken:
            if one in self._requests or len(self._requests) < MOST_SOURCES:
                self._requests[one] += 1

    def listed(self) -> list[dict[str, object]]:
        """For the health page, the most frequent first."""
        return [
            {"signal": signal, "scope": scope, "keys": list(keys), "requests": requests}
            for (signal, scope, keys), requests in self._requests.most_common()
        ]
