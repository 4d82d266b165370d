"""Runs one server: `python -m sample_data.servers NAME --seed 7 --spans FILE [--port 8000]`, else over stdio."""

import argparse
import importlib
import logging
from pathlib import Path

from mcp.server.mcpserver import MCPServer

from sample_data import telemetry
from sample_data.cast import SERVERS, public_name

_THIRD_PARTY = "third_party"
_MODULES = {
    "github-mcp": "github",
    "mail-mcp": "mail",
    "filesystem-mcp": "filesystem",
    "postgres-mcp": "postgres",
    "web-mcp": "web",
    "chat-mcp": "chat",
    "calendar-mcp": "calendar_events",
    "crm-mcp": "crm",
    "tickets-mcp": "tickets",
    "memory-mcp": "memory",
    "calculator-mcp": "calculator",
    "weather-mcp": "weather",
    "weather-mcp@1.1.0": "weather",
    "monitoring-mcp": "monitoring",
    "shell-mcp": "shell",
    "payments-mcp": "payments",
}


def module_of(name: str) -> str:
    """The module that builds a server."""
    return f"sample_data.servers.{_MODULES.get(name, _THIRD_PARTY)}"


def main() -> None:
    """Start telemetry, build the server, serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--spans", type=Path, required=True)
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    about = SERVERS[options.name]
    if about.export != "none":
        telemetry.start(public_name(options.name), about.version, options.seed, options.spans)
    module = importlib.import_module(module_of(options.name))
    server: MCPServer = module.build(options.name, about.version)
    # Failures are part of the play; a log of them would only slow it.
    logging.disable(logging.CRITICAL)
    if options.port is None:
        server.run("stdio")
    else:
        server.run("streamable-http", port=options.port)


if __name__ == "__main__":
    main()
