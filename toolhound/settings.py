"""Settings: a TOML file, checked whole; an unknown or impossible one is an error that names it."""

import os
import tomllib
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest.keeping import Payloads, Source
from store.errors import SettingsError

FILE_NAME = "toolhound.toml"
DATABASE_FILE = "toolhound.duckdb"
VARIABLE = "TOOLHOUND_SETTINGS"
"""How `toolhound serve` hands its settings, wherever they came from, to the processes that it starts: as JSON."""


PayloadsKept: TypeAlias = Literal["full", "truncated", "fingerprint_only", "none"]


class Section(BaseModel):
    """A table of the settings file; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Collect(Section):
    """Where traces and logs are received."""

    host: str = "127.0.0.1"
    grpc_port: int = Field(4317, ge=0, le=65535)
    http_port: int = Field(4318, ge=0, le=65535)
    processes: int = Field(1, ge=1, le=64)
    body_bytes: int = Field(64 << 20, ge=1 << 10, description="largest request, after decompression (OTLP 1.11 recommends 64 MiB)")
    spool_bytes: int = Field(4 << 30, ge=1 << 20, description="how much may wait for the engine; beyond it senders are asked to come back")


class Kept(Section):
    """A source whose payloads are kept otherwise, by its agent, server and dialect; `*` stands for any characters."""

    payloads: PayloadsKept = Field(description="what is kept of them; their error messages go with them")
    agent: str = Field("*", min_length=1, description="the agent's name")
    server: str = Field("*", min_length=1, description="the MCP server's name; messages have none")
    dialect: str = Field("*", min_length=1, description="what the source speaks (docs/dialects.md)")


class Keep(Section):
    """How payloads are kept, and for how long."""

    payloads: PayloadsKept = "full"
    truncate_bytes: int = Field(64 << 10, ge=256)
    sources: tuple[Kept, ...] = Field((), description="sources whose payloads are kept otherwise; the first that fits counts")
    settle_seconds: float = Field(600, gt=0, description="how long a call may still change before it moves into the lake")
    days: int = Field(0, ge=0, description="calls and what belongs to them are kept for so many days; 0: for ever")
    lake_bytes: int = Field(0, ge=0, description="how large the lake may grow before its oldest days go; 0: without end")
    key_file: Path | None = Field(None, description="holds the key (32 bytes, hexadecimal or base64) that a new workspace is encrypted with")
    key_variable: str | None = Field(None, description="the environment variable that holds the key; the file above is the other way")

    def policy(self) -> Payloads:
        """As collectors take it."""
        return Payloads(
            self.payloads, self.truncate_bytes, tuple(Source(one.payloads, one.agent, one.server, one.dialect) for one in self.sources)
        )


class Learn(Section):
    """What counts as usual."""

    half_life_days: float = Field(30, ge=7, description="an older session weighs less, a half after so long; run `toolhound learn` after a change")
    forget_days: int = Field(180, ge=1, description="what was not seen for so long is no longer usual")
    forget_once_days: int = Field(90, ge=1, description="the same for what only one session did")
    held_days: float = Field(7, ge=0, description="how long sessions of an open alert with proof teach nothing; confirmed attacks never do")
    counters: int = Field(2_000_000, ge=1000, description="how many counters are kept at most; the weakest go first")


class Detect(Section):
    """How many alerts may come from what is merely unusual; what content proves always alerts."""

    alerts_per_day: int = Field(20, ge=0, description="how many sessions a day may alert for being unusual alone, once there is enough history")
    false_discovery_rate: float = Field(0.2, gt=0, le=1, description="the share of these that may be chance")
    high_alerts_per_day: int = Field(
        2, ge=0, description="how many sessions a day may be told as high where a detector finds the like in more, once there is enough history")


class Limits(Section):
    """What may be used; what is not set has no limit."""

    calls: int | None = Field(None, ge=1, description="tool calls, without those that were denied")
    tokens: int | None = Field(None, ge=1, description="tokens; of calls that tell none, a quarter of the bytes that they sent and read")
    cost: float | None = Field(None, gt=0, description="costs, in the currency in which calls tell them")


class Budget(Section):
    """What a session may use, and an agent on a day (UTC)."""

    session: Limits = Limits()
    day: Limits = Limits()


class AgentBudget(Budget):
    """Other limits for some agents; `*` stands for any characters."""

    agent: str = Field(min_length=1, description="the agent's name")


class Budgets(Budget):
    """What a session, and what an agent on a day (UTC), may use; going over it is an alert. Without a limit nothing is reckoned."""

    agents: tuple[AgentBudget, ...] = Field((), description="agents with other limits, in the place of those above; the first that fits counts")


class Serve(Section):
    """The API and the pages."""

    host: str = "127.0.0.1"
    port: int = Field(8765, ge=0, le=65535)
    names: tuple[str, ...] = Field((), description="further host names that browsers may use")
    address: str | None = Field(None, description="the address that links in alerts point to, where a proxy stands in front")


class Webhook(Section):
    """A destination of alerts."""

    name: str = Field(pattern=r"^[a-z0-9_-]{1,40}$")
    url: str
    secret_file: Path | None = Field(None, description="holds the whsec_... secret; the environment variable below is the other way")
    secret_variable: str | None = None
    minimum_severity: Literal["info", "low", "medium", "high", "critical"] = "low"
    events: tuple[str, ...] = ("alert.created", "alert.updated", "alert.closed")
    network: Literal["public", "private", "loopback"] = "public"


class Settings(Section):
    """All of them, with working defaults."""

    collect: Collect = Collect()
    keep: Keep = Keep()
    learn: Learn = Learn()
    detect: Detect = Detect()
    budgets: Budgets = Budgets()
    serve: Serve = Serve()
    webhooks: tuple[Webhook, ...] = ()


def settings_of(folder: Path) -> Settings:
    """A workspace's settings: what was handed down, else what its file says."""
    handed = os.environ.get(VARIABLE)
    return Settings.model_validate_json(handed) if handed else read_settings(folder / FILE_NAME)


def read_settings(path: Path | None) -> Settings:
    """Settings from a file; the defaults where there is none.

    Raises SettingsError with the file, the setting and what is allowed.
    """
    if path is None or not path.exists():
        return Settings()
    try:
        return Settings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        raise SettingsError(f"{path}: {'; '.join(_told(e['loc'], e['type'], e['msg']) for e in error.errors())}") from error


def _told(place: tuple[str | int, ...], kind: str, message: str) -> str:
    """What is wrong with one setting, and what is allowed."""
    name = ".".join(map(str, place))
    if kind != "extra_forbidden":
        return f"{name}: {message.lower()}"
    sections: dict[str, type[BaseModel]] = {
        "collect": Collect, "keep": Keep, "learn": Learn, "detect": Detect, "budgets": Budgets, "serve": Serve, "webhooks": Webhook,
    }
    section = sections.get(str(place[0]), Settings) if len(place) > 1 else Settings
    return f"{name} is no setting; known here are {', '.join(section.model_fields)}"
