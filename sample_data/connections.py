"""How an agent reaches its servers: a command for stdio, an address for streamable HTTP."""

import sys
from contextlib import AsyncExitStack
from pathlib import Path

from fastmcp.client.transports import StdioTransport
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from pydantic_ai.mcp import MCPToolset

from sample_data.cast import SERVERS, public_name

Toolset = MCPToolset[None]


class Connections:
    """The servers within reach of one agent process; those over stdio are started once and kept."""

    def __init__(self, seed: int, spool: Path, agent: str, ports: dict[str, int]) -> None:
        self._seed = seed
        self._spool = spool
        self._agent = agent
        self._ports = ports
        self._toolsets: dict[str, Toolset] = {}
        self._clients: dict[str, Client] = {}

    async def start(self, servers: tuple[str, ...], framework: bool, stack: AsyncExitStack) -> None:
        """Start the servers that speak over stdio, for the framework or for the SDK's own client.

        Before the first session, since what is opened inside a session has to be closed inside it.
        """
        for server in servers:
            if not SERVERS[server].stdio:
                continue
            spans = f"{self._agent}."
            command, *arguments = server_command(server, self._seed, self._spool, spans)
            if framework:
                toolset: Toolset = MCPToolset(StdioTransport(command, arguments), id=public_name(server), tool_error_behavior="failed")
                self._toolsets[server] = await stack.enter_async_context(toolset)
            else:
                parameters = StdioServerParameters(command=command, args=arguments)
                self._clients[server] = await stack.enter_async_context(Client(parameters))

    def toolset(self, server: str) -> Toolset:
        """The framework's toolset of a server, its id being the server's name."""
        if server in self._toolsets:
            return self._toolsets[server]
        return MCPToolset(self._address(server), id=public_name(server), tool_error_behavior="failed")

    async def client(self, server: str, stack: AsyncExitStack) -> Client:
        """The SDK's client of a server, open."""
        if server in self._clients:
            return self._clients[server]
        return await stack.enter_async_context(Client(self._address(server)))

    def _address(self, server: str) -> str:
        return f"http://127.0.0.1:{self._ports[server]}/mcp"


def server_command(server: str, seed: int, spool: Path, owner: str = "", port: int | None = None) -> list[str]:
    """The command that runs a server, over HTTP where it is given a port."""
    spans = spool / f"server.{owner}{server}.spans"
    command = [sys.executable, "-m", "sample_data.servers", server, "--seed", str(seed), "--spans", str(spans)]
    return command if port is None else [*command, "--port", str(port)]
