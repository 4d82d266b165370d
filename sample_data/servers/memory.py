"""A notes server: what the agent keeps for later conversations."""

from mcp.server.mcpserver import MCPServer

from sample_data import texts
from sample_data.script import seeded


def build(name: str, version: str) -> MCPServer:
    """The server."""
    server = MCPServer(name, version=version)
    kept: dict[str, list[str]] = {}

    @server.tool()
    def remember(topic: str, text: str) -> str:
        """Keep a note under a topic."""
        kept.setdefault(topic, []).append(text)
        return f"{len(kept[topic])} notes under {topic}"

    @server.tool()
    def recall(topic: str) -> str:
        """Return the notes under a topic."""
        return "\n".join(kept.get(topic, [])) or texts.paragraphs(seeded("note", topic), 1, 2)

    return server
