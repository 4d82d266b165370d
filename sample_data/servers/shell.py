"""A shell server; commands are answered, never run."""

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from sample_data import texts
from sample_data.script import seeded


def build(name: str, version: str) -> MCPServer:
    """The server."""
    server = MCPServer(name, version=version)

    @server.tool()
    def run_command(command: str, timeout_s: int = 60) -> str:
        """Run a command in the sandbox of the operations team and return its output."""
        random = seeded("shell", command)
        if command.startswith("git "):
            return "\n".join(f"{random.getrandbits(28):07x} {texts.ticket(random.randint(1, 900))[0]}" for _ in range(5))
        if command.startswith(("pytest", "make test")):
            return f"{random.randint(180, 420)} passed in {random.uniform(8, 60):.1f}s"
        if command.startswith("ping "):
            return "1 packets transmitted, 1 received, 0% packet loss\nbash: line 1: syntax error near unexpected token"
        if "|" in command or command.startswith(("grep", "tail")):
            return "\n".join(f"{random.randint(2, 900):6d} {random.choice(('GET', 'POST'))} /{service}" for service in texts.SERVICES)
        if command.startswith("df"):
            return f"/dev/sda1  200G  {random.randint(60, 180)}G  {random.randint(30, 92)}%  /"
        if random.random() < 0.08:
            raise ToolError(f"exit status 1: {command.split()[0]}: not found")
        return "ok"

    return server
