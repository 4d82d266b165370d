"""How an agent reaches its servers: a command for stdio, an address for streamable HTTP."""

import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

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

    async def toolset(self, server: str, stack: AsyncExitStack) -> Toolset:
        """The framework's toolset of a server, its id being the server's name."""
        if not SERVERS[server].stdio:
            return MCPToolset(self._address(server), id=public_name(server), tool_error_behavior="failed")
        if server not in self._toolsets:
            command, *arguments = self._command(server)
            transport = StdioTransport(command, arguments)
            toolset: Toolset = MCPToolset(transport, id=public_name(server), tool_error_behavior="failed")
            self._toolsets[server] = await stack.enter_async_context(toolset)
        return self._toolsets[server]

    async def client(self, server: str, kept: AsyncExitStack, session: AsyncExitStack) -> Client:
        """The SDK's client of a server, open."""
        if not SERVERS[server].stdio:
            return await session.enter_async_context(Client(self._address(server)))
        if server not in self._clients:
            command, *arguments = self._command(server)
            parameters: Any = StdioServerParameters(command=command, args=arguments)
            self._clients[server] = await kept.enter_async_context(Client(parameters))
        return self._clients[server]

    def _address(self, server: str) -> str:
        return f"http://127.0.0.1:{self._ports[server]}/mcp"

    def _command(self, server: str) -> list[str]:
        return server_command(server, self._seed, self._spool, f"{self._agent}.")


def server_command(server: str, seed: int, spool: Path, owner: str = "", port: int | None = None) -> list[str]:
    """The command that runs a server, over HTTP where it is given a port."""
    spans = spool / f"server.{owner}{server}.spans"
    command = [sys.executable, "-m", "sample_data.servers", server, "--seed", str(seed), "--spans", str(spans)]
    return command if port is None else [*command, "--port", str(port)]
