"""A chat server: channels of the company, and messages to telephone numbers."""

import json

from mcp.server.mcpserver import MCPServer

from sample_data import texts
from sample_data.script import seeded
from sample_data.servers import callers


def build(name: str, version: str) -> MCPServer:
    """The server."""
    server = MCPServer(name, version=version)

    @server.tool()
    def list_chats() -> str:
        """List the latest chats with their last message."""
        random = seeded("chats")
        rows = []
        for number in range(8):
            who = texts.person(random)
            rows.append(
                {
                    "with": who,
                    "phone": f"+1 202 555 01{random.randint(10, 99)}",
                    "last": texts.mail(number + 40)[2].split("\n")[2],
                }
            )
        return json.dumps(rows)

    @server.tool()
    def read_channel(channel: str, limit: int = 10) -> str:
        """Read the newest messages of a channel."""
        callers.check(f"chat:{channel}")
        random = seeded("channel", channel, limit)
        lines = []
        for _ in range(min(limit, 6)):
            said = texts.mail(random.randint(1, 900))[2].split("\n")[2]
            lines.append(f"[{random.randint(8, 17):02d}:{random.randint(0, 59):02d}] {texts.person(random)}: {said}")
        return "\n".join(lines)

    @server.tool()
    def post_message(channel: str, text: str) -> str:
        """Post a message to a channel."""
        callers.check(f"chat:{channel}")
        return json.dumps({"ok": True, "channel": channel, "length": len(text)})

    @server.tool()
    def send_message(recipient: str, message: str) -> str:
        """Send a direct message to a person or a telephone number."""
        callers.check("chat")
        return json.dumps({"ok": True, "recipient": recipient})

    return server
