"""A calendar server."""

import json

from mcp.server.mcpserver import MCPServer

from sample_data import texts
from sample_data.script import seeded


def build(name: str, version: str) -> MCPServer:
    """The server."""
    server = MCPServer(name, version=version)

    @server.tool()
    def list_events(day: str) -> str:
        """List the events of a day (ISO date)."""
        random = seeded("events", day)
        rows = []
        for hour in sorted(random.sample(range(8, 18), random.randint(1, 4))):
            rows.append(
                {
                    "start": f"{day}T{hour:02d}:00",
                    "title": texts.mail(hour * 7 + len(day))[1],
                    "with": texts.person(random),
                }
            )
        return json.dumps(rows)

    @server.tool()
    def find_free_slot(day: str, minutes: int, attendees: list[str]) -> str:
        """Find a time at which all attendees are free."""
        random = seeded("slot", day, minutes, *attendees)
        return json.dumps({"start": f"{day}T{random.randint(9, 16):02d}:{random.choice(('00', '30'))}", "minutes": minutes})

    @server.tool()
    def create_event(title: str, start: str, minutes: int, attendees: list[str]) -> str:
        """Create an event and invite the attendees."""
        return json.dumps({"created": title, "start": start, "invited": attendees})

    return server
