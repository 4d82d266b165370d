"""One agent as a process: plays the sessions named on its standard input and answers each with a line of JSON.

Run as `python -m sample_data.agent_process NAME --seed 7 --spool DIR --ports JSON`. Servers over stdio are started once
and stay, servers over HTTP are connected to for each session.
"""

import argparse
import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from opentelemetry import baggage, context

from sample_data import openinference_agent, pydantic_agent, telemetry
from sample_data.cast import AGENTS
from sample_data.connections import Connections
from sample_data.plan import plan
from sample_data.script import Session


async def _serve(name: str, seed: int, spool: Path, ports: dict[str, int]) -> None:
    agent = AGENTS[name]
    ids = telemetry.start(agent.name, agent.version, seed, spool / f"agent.{agent.name}.spans")
    sessions = {session.key: session for session in plan(seed) if session.agent == name}
    connections = Connections(seed, spool, agent.name, ports)
    framework = agent.dialect != "openinference"
    play = pydantic_agent.play if framework else openinference_agent.play
    async with AsyncExitStack() as stack:
        await connections.start(agent.servers, framework, stack)
        while line := await asyncio.to_thread(sys.stdin.readline):
            session = sessions[line.strip()]
            ids.restart(seed, session.key)
            # The person travels as W3C baggage, so that the servers know for whom they are called.
            token = context.attach(baggage.set_baggage(telemetry.PERSON, session.principal))
            try:
                waits = await play(agent, session, seed, connections)
            finally:
                context.detach(token)
            _answer(session, waits)


def _answer(session: Session, waits: dict[str, float]) -> None:
    answer: dict[str, Any] = {"session": session.key, "waits": waits}
    print(json.dumps(answer), flush=True)


def main() -> None:
    """Read the command line and play until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--spool", type=Path, required=True)
    parser.add_argument("--ports", type=json.loads, required=True)
    options = parser.parse_args()
    asyncio.run(_serve(options.name, options.seed, options.spool, options.ports))


if __name__ == "__main__":
    main()
