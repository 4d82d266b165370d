"""Claude Code's own log events over OTLP/JSON, for two developers, with tool details on.

No SDK is run here: the shape follows an export of version 2.1.226, including its bare numbers and its numbers as text.
"""

import json
from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

from sample_data.claude_code_work import MCP_SERVERS, ModelStep, Prompt, prompt
from sample_data.plan import DAYS, FIRST_DAY, is_workday
from sample_data.recording import Request, from_nanos, latest_nanos, to_nanos
from sample_data.script import Case, seeded, seeded_hex, seeded_uuid

_VERSION = "2.1.226"
_AGENT = "claude-code"
_S = 1_000_000_000
# (address, sessions a day, whether MCP tools carry their full name or the literal that older settings give)
_DEVELOPERS = (("nils.berg@example.com", 4, True), ("yara.santos@example.com", 3, False))
_RESOURCE = {
    "host.arch": "arm64",
    "os.type": "darwin",
    "os.version": "25.1.0",
    "service.name": "claude-code",
    "service.version": _VERSION,
}
_REJECTED = Case("rejected_by_user", "near_miss", "Claude Code asked for a forced push and the user rejected it: decided, never run.")
_RECONNECTED = Case(
    "failed_then_connected",
    "near_miss",
    "An MCP server fails to connect twice and then connects: a restart, no attack.",
)
_Staged = list[tuple[Case, str, str, list[str], str]]


def requests(seed: int) -> tuple[list[Request], Counter[str], _Staged]:
    """The requests, the number of calls by session id, and the staged cases among the sessions."""
    found: list[Request] = []
    calls: Counter[str] = Counter()
    cases: _Staged = []
    for developer, daily, full_names in _DEVELOPERS:
        for day in filter(is_workday, range(DAYS)):
            for number in range(daily):
                key = f"{_AGENT}-{developer}-{day:02d}-{number}"
                random = seeded(seed, key)
                starts_at = FIRST_DAY + timedelta(days=day, seconds=round(random.uniform(8.5, 17.5) * 3600))
                session = _Session(seed, key, developer, full_names, to_nanos(starts_at), random)
                case = _case(developer, day, number)
                bodies = session.play(case)
                calls[session.id] = session.calls
                found += [Request(from_nanos(latest_nanos(body) + _S), "http_json", "/v1/logs", _line(body)) for body in bodies]
                if case:
                    cases.append((case, session.id, _AGENT, list(MCP_SERVERS), starts_at.isoformat()))
    return found, calls, cases


def _case(developer: str, day: int, number: int) -> Case | None:
    first = developer == _DEVELOPERS[0][0]
    return {(True, 4, 1): _REJECTED, (False, 7, 0): _RECONNECTED}.get((first, day, number))


def _line(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


class _Session:
    """One session of a developer: its events in order, cut into one export per prompt."""

    def __init__(self, seed: int, key: str, developer: str, full_names: bool, starts_at: int, random: Random) -> None:
        self.id = seeded_uuid(seed, key)
        self.calls = 0
        self._now = starts_at
        self._random = random
        self._full_names = full_names
        self._sequence = 0
        self._records: list[dict[str, Any]] = []
        self._seed = f"{seed}|{key}"
        self._who = {
            "user.id": seeded_hex(64, "user", developer),
            "session.id": self.id,
            "organization.id": seeded_uuid("organization"),
            "user.email": developer,
            "user.account_uuid": seeded_uuid("account", developer),
            "user.account_id": "user_" + seeded_hex(24, "account", developer),
            "terminal.type": random.choice(("xterm-256color", "vscode")),
        }

    def play(self, case: Case | None) -> list[dict[str, Any]]:
        """The bodies of the exports."""
        for server in MCP_SERVERS:
            for status in ("failed", "failed", "connected") if case is _RECONNECTED and server == "github" else ("connected",):
                self._connect(server, status)
        bodies = [self._export()]
        for number in range(self._random.randint(1, 3)):
            self._pass(15, 200)
            self._prompt(prompt(self._random), seeded_uuid(self._seed, "prompt", number))
            bodies.append(self._export())
        if case is _REJECTED:
            self._pass(20, 40)
            self._reject()
            bodies.append(self._export())
        return bodies

    def _connect(self, server: str, status: str) -> None:
        self._pass(0.05, 1.5)
        about: dict[str, Any] = {
            "status": status,
            "transport_type": "http" if server == "github" else "stdio",
            "server_scope": "user" if server == "github" else "project",
            "server_name": server,
            "duration_ms": self._random.randint(80, 1900),
        }
        if status == "failed":
            about["error_code"] = "ECONNREFUSED"
        self._event("mcp_server_connection", about)

    def _prompt(self, work: Prompt, prompt_id: str) -> None:
        about = {"prompt.id": prompt_id}
        message = seeded_uuid(prompt_id, "message")
        self._event("user_prompt", {**about, "prompt_length": str(len(work.text)), "prompt": work.text, "message.uuid": message})
        for number, step in enumerate(work.steps):
            self._request(about)
            self._tool(step, about, f"toolu_{seeded_hex(24, prompt_id, number)}")
        self._request(about)

    def _request(self, about: dict[str, Any]) -> None:
        duration = self._random.randint(1200, 6000)
        self._now += duration * 1_000_000
        cost = self._random.randint(9000, 240000)
        tokens = {"input_tokens": self._random.randint(2, 9), "output_tokens": self._random.randint(40, 700)}
        model = {"model": "claude-sonnet-5", **tokens, "cost_usd": cost / 1e6, "cost_usd_micros": cost}
        self._event("api_request", {**about, **model, "duration_ms": duration, "query_source": "repl_main_thread"})

    def _tool(self, step: ModelStep, about: dict[str, Any], use_id: str) -> None:
        name, arguments = step
        self.calls += 1
        tool = self._tool_fields(name, arguments, use_id)
        self._event("tool_decision", {**about, **tool, "decision": "accept", "source": "config"})
        duration = self._random.randint(2, 900)
        self._now += duration * 1_000_000
        failed = name == "Bash" and self._random.random() < 0.1
        text = json.dumps(arguments, ensure_ascii=False)
        result: dict[str, Any] = {"success": "false" if failed else "true", "duration_ms": str(duration)}
        if failed:
            result |= {"error_type": "Error:ShellError", "error": "Exit code 1: 2 failed, 31 passed"}
        sizes = {"tool_input_size_bytes": str(len(text)), "tool_result_size_bytes": str(self._random.randint(20, 9000))}
        self._event("tool_result", {**about, **tool, **result, **sizes, "tool_input": text})

    def _tool_fields(self, name: str, arguments: dict[str, Any], use_id: str) -> dict[str, Any]:
        parameters: dict[str, Any] = {}
        source, shown = "builtin", name
        if name.startswith("mcp__"):
            _, server, tool = name.split("__")
            parameters = {"mcp_server_name": server, "mcp_tool_name": tool}
            source, shown = "mcp", name if self._full_names else "mcp_tool"
        elif name == "Bash":
            command = str(arguments["command"])
            parameters = {"bash_command": command.split()[0], "full_command": command, **arguments}
            del parameters["command"]
        fields = {"tool_name": shown, "tool_use_id": use_id, "tool_source": source}
        return {**fields, "tool_parameters": json.dumps(parameters)} if parameters else fields

    def _reject(self) -> None:
        about = {"prompt.id": seeded_uuid(self._seed, "rejected")}
        text = "Clean up the history of this branch."
        self._event("user_prompt", {**about, "prompt_length": str(len(text)), "prompt": text, "message.uuid": self.id})
        self._request(about)
        self.calls += 1
        tool = self._tool_fields("Bash", {"command": "git push --force origin main"}, f"toolu_{seeded_hex(24, self._seed)}")
        self._event("tool_decision", {**about, **tool, "decision": "reject", "source": "user_reject"})

    def _pass(self, least: float, most: float) -> None:
        self._now += round(self._random.uniform(least, most) * 1000) * 1_000_000

    def _event(self, name: str, about: dict[str, Any]) -> None:
        self._now += self._random.randint(1, 40) * 1_000_000
        self._sequence += 1
        moment = from_nanos(self._now).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        stamp = {"event.name": name, "event.timestamp": moment, "event.sequence": self._sequence}
        record = {
            "timeUnixNano": str(self._now),
            "observedTimeUnixNano": str(self._now),
            "body": {"stringValue": f"claude_code.{name}"},
            "attributes": _attributes({**self._who, **stamp, **about}),
            "droppedAttributesCount": 0,
        }
        self._records.append(record)

    def _export(self) -> dict[str, Any]:
        records, self._records = self._records, []
        scope = {"name": "com.anthropic.claude_code.events", "version": _VERSION}
        resource = {"attributes": _attributes(_RESOURCE), "droppedAttributesCount": 0}
        return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": scope, "logRecords": records}]}]}


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = {str: "stringValue", int: "intValue", float: "doubleValue"}
    return [{"key": key, "value": {kinds[type(value)]: value}} for key, value in values.items()]
