"""The two weeks: which session of which agent starts when, with which servers. The same for the same seed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from sample_data.cast import AGENTS, Agent
from sample_data.script import Session, seeded
from sample_data.staged import staged
from sample_data.work import (
    code_reviewer,
    data_analyst,
    docs_writer,
    finance_assistant,
    hr_onboarding,
    personal_assistant,
    release_bot,
    sales_researcher,
    sre_oncall,
    support_desk,
)

FIRST_DAY = datetime(2026, 11, 2, tzinfo=UTC)
DAYS = 14
# When strangers change the fact server, and when the weather server is honestly upgraded.
FACTS_CHANGE = FIRST_DAY + timedelta(days=7)
WEATHER_UPGRADE = FIRST_DAY + timedelta(days=8)
_WORK = {
    "support-desk": support_desk.TASKS,
    "code-reviewer": code_reviewer.TASKS,
    "finance-assistant": finance_assistant.TASKS,
    "sre-oncall": sre_oncall.TASKS,
    "personal-assistant": personal_assistant.TASKS,
    "data-analyst": data_analyst.TASKS,
    "docs-writer": docs_writer.TASKS,
    "sales-researcher": sales_researcher.TASKS,
    "hr-onboarding": hr_onboarding.TASKS,
    "release-bot": release_bot.TASKS,
}
_OFFICE_HOURS = (8.4, 17.8)
_ROUND_THE_CLOCK = (0.2, 23.6)
_NIGHT_SHARE = 0.2


def plan(seed: int) -> list[Session]:
    """All sessions by time."""
    sessions = [*_ordinary(seed), *_staged(seed)]
    return sorted(sessions, key=lambda session: (session.starts_at, session.key))


def is_workday(day: int) -> bool:
    """Whether that day of the two weeks is no Saturday or Sunday."""
    return (FIRST_DAY + timedelta(days=day)).weekday() < 5


def _ordinary(seed: int) -> Iterator[Session]:
    for agent in AGENTS.values():
        for day in range(DAYS):
            random = seeded(seed, agent.name, day)
            for number in range(_count(agent, day, random)):
                key = f"{agent.name}-{day:02d}-{number}"
                yield _session(seed, key, agent, day, seeded(seed, key))


def _count(agent: Agent, day: int, random: Random) -> int:
    if is_workday(day):
        return max(1, agent.daily + random.choice((-1, 0, 0, 1)))
    return 1 if agent.weekends else 0


def _session(seed: int, key: str, agent: Agent, day: int, random: Random) -> Session:
    night = agent.weekends and agent.name == "sre-oncall" and random.random() < _NIGHT_SHARE
    hour = random.uniform(*(_ROUND_THE_CLOCK if night else _OFFICE_HOURS))
    starts_at = _moment(day, hour)
    turns = random.choice(_WORK[agent.name])(random)
    people = agent.people
    address = f"192.0.2.{20 + list(AGENTS).index(agent.name)}"
    return Session(key, agent.name, random.choice(people), starts_at, tuple(turns), _servers(agent, starts_at), address)


def _staged(seed: int) -> Iterator[Session]:
    for number, item in enumerate(staged(seed)):
        agent = AGENTS[item.agent]
        starts_at = _moment(item.day, item.hour)
        key = f"{item.case.name}-{number:02d}"
        yield Session(
            key,
            agent.name,
            item.principal or agent.people[0],
            starts_at,
            item.turns,
            _servers(agent, starts_at) + item.extra_servers,
            item.client_address or "192.0.2.20",
            item.case,
        )


def _moment(day: int, hour: float) -> datetime:
    return FIRST_DAY + timedelta(days=day, seconds=round(hour * 3600))


def _servers(agent: Agent, at: datetime) -> tuple[str, ...]:
    variants = {}
    if at >= FACTS_CHANGE:
        variants["daily-fact-mcp"] = "daily-fact-mcp@changed"
    if at >= WEATHER_UPGRADE:
        variants["weather-mcp"] = "weather-mcp@1.1.0"
    return tuple(variants.get(server, server) for server in agent.servers)
