"""What two developers do with Claude Code: prompts, and the tools that are used for them."""

from dataclasses import dataclass
from random import Random
from typing import Any

from sample_data import texts

ModelStep = tuple[str, dict[str, Any]]
_SOURCES = (
    "src/client.py",
    "src/retry.py",
    "src/export.py",
    "src/limits.py",
    "tests/test_retry.py",
    "tests/test_export.py",
)
MCP_SERVERS = ("github", "docs-search", "issue-tracker")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt and the tools used for it, in order; MCP tools are written `mcp__server__tool`."""

    text: str
    steps: list[ModelStep]


def prompt(random: Random) -> Prompt:
    """One of the ordinary tasks of a developer."""
    return random.choice((_fix, _fix, _explain, _issue, _release, _look_up))(random)


def _fix(random: Random) -> Prompt:
    path, test = random.sample(_SOURCES, 2)
    what = random.choice(("the retry never stops", "dates are off by one", "the limit is ignored", "an empty file crashes it"))
    steps: list[ModelStep] = [
        ("Grep", {"pattern": random.choice(("def retry", "LIMIT", "parse_date", "open\\(")), "path": "src"}),
        ("Read", {"file_path": f"/home/dev/widget/{path}"}),
        (
            "Edit",
            {
                "file_path": f"/home/dev/widget/{path}",
                "old_string": "if attempt > limit:",
                "new_string": "if attempt >= limit:",
            },
        ),
        ("Bash", {"command": f"pytest -q {test}", "description": "Run the tests"}),
    ]
    if random.random() < 0.5:
        steps.append(("Bash", {"command": "git diff --stat", "description": "Show what changed"}))
    return Prompt(f"In {path} {what}. Fix it and run the tests.", steps)


def _explain(random: Random) -> Prompt:
    paths = random.sample(_SOURCES, random.randint(2, 4))
    return Prompt(
        f"How do {paths[0]} and {paths[1]} work together?",
        [("Read", {"file_path": f"/home/dev/widget/{path}"}) for path in paths],
    )


def _issue(random: Random) -> Prompt:
    number = random.randint(400, 479)
    return Prompt(
        f"Look at issue {number} and tell me where the cause could be.",
        [
            ("mcp__github__get_issue", {"repo": "example-org/widget-cli", "number": number}),
            ("Grep", {"pattern": texts.ticket(number)[0].split()[-1], "path": "src"}),
            ("Read", {"file_path": f"/home/dev/widget/{random.choice(_SOURCES)}"}),
            ("mcp__issue-tracker__add_note", {"issue": number, "note": "Probably in the export."}),
        ],
    )


def _release(random: Random) -> Prompt:
    version = f"{random.randint(1, 4)}.{random.randint(0, 30)}.0"
    return Prompt(
        f"Prepare the change log for {version}.",
        [
            ("Bash", {"command": f"git log --oneline v{version}..HEAD", "description": "List commits"}),
            ("Read", {"file_path": "/home/dev/widget/CHANGELOG.md"}),
            (
                "Edit",
                {
                    "file_path": "/home/dev/widget/CHANGELOG.md",
                    "old_string": "## Unreleased",
                    "new_string": f"## {version}",
                },
            ),
        ],
    )


def _look_up(random: Random) -> Prompt:
    words = random.choice(("streaming uploads", "time zones in SQL", "retry budgets", "structured logging"))
    return Prompt(
        f"What do our documents say about {words}?",
        [
            ("mcp__docs-search__search", {"query": words, "limit": random.randint(3, 8)}),
            ("mcp__docs-search__read_page", {"page": words.replace(" ", "-")}),
        ],
    )
