"""Days on which a server is down or slow for hours: calls that fail or take long and are tried again, and people at the logs in the night."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from benchmarks.workplaces.compose import Day, Step


@dataclass(frozen=True)
class Incident:
    """A server of a workplace that fails or is slow from one hour of a day to another."""

    day: int
    place: str
    server: str
    hours: tuple[int, int]
    failing: float
    """The share of calls that fail."""
    slower: int
    message: str


INCIDENTS = (
    Incident(3, "warehouse", "wms", (12, 16), 0.75, 1, "Error: 503 Service Unavailable: upstream connect error or disconnect before headers"),
    Incident(9, "game-studio", "tracker", (9, 14), 0.2, 40, "Error: the request timed out after 30 s"),
)
AT_NIGHT, NIGHTS_PLACE = 30, "bank-devops"
"""Sessions of those on call after such a day, and where they are on call."""
RETRIES = 4
PATIENCE = timedelta(seconds=6)


def incident_at(place: str, server: str, number: int, hour: int) -> Incident | None:
    """What is wrong with a server at an hour of a day."""
    there = (one for one in INCIDENTS if (one.place, one.server, one.day) == (place, server, number))
    return next((one for one in there if one.hours[0] <= hour < one.hours[1]), None)


def tried(step: Step, incident: Incident, draw: random.Random) -> Iterator[Step]:
    """The step as it went: failing, tried again, until it succeeded or the agent gave up."""
    for _ in range(1 + draw.randint(0, RETRIES)):
        if draw.random() >= incident.failing:
            yield step
            return
        yield replace(step, body=[incident.message], paper=False, failed=True)


def at_the_logs(day: Day) -> list[Step]:
    """A long session of somebody on call: logs of many hosts, an incident, a runbook, a restart or two."""
    place, draw = day.place, day.draw
    logs = next(source for source in place.sources if source.tool == "log_tail")
    papers = [source for source in place.sources if source is not logs]
    restart, notify = (next(duty for duty in place.duties if duty.tool == tool) for tool in ("service_restart", "oncall_notify"))
    source, ref = papers[0], day.values.fill(papers[0].ref)
    prompt = f"{ref} is still open. Look through the logs of the hosts around it and tell me what you see."
    steps = [day.paper(prompt, source, ref)]
    for _ in range(draw.randint(6, 35)):
        steps.append(day.paper(prompt, logs, day.values.fill(logs.ref)))
    if draw.random() < 0.5:
        steps.append(day.paper(prompt, papers[1], day.values.fill(papers[1].ref)))
    for duty in (restart, notify)[:draw.randint(0, 2)]:
        slots, _, asked = day.wish(duty)
        steps.append(day.acts(asked, duty, slots))
    return steps
