"""A mail server: reading, searching, sending and forwarding."""

import json

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from sample_data import texts
from sample_data.script import seeded
from sample_data.servers import callers, planted


def build(name: str, version: str) -> MCPServer:
    """The server."""
    server = MCPServer(name, version=version)

    @server.tool()
    def list_messages(folder: str = "inbox", query: str = "") -> str:
        """List the newest messages of a folder, optionally those that match a query."""
        callers.check("mail")
        random = seeded("folder", folder, query)
        numbers = planted.SEARCHES.get(query) or random.sample(range(1000, 3000), random.randint(2, 6))
        rows = []
        for number in numbers:
            sender, subject, _ = planted.MAILS.get(number) or texts.mail(number)
            rows.append({"id": number, "from": sender, "subject": subject})
        return json.dumps(rows)

    @server.tool()
    def read_message(message_id: int) -> str:
        """Read one message."""
        callers.check("mail")
        sender, subject, text = planted.MAILS.get(message_id) or texts.mail(message_id)
        return f"From: {sender}\nSubject: {subject}\n\n{text}"

    @server.tool()
    def send_email(to: str, subject: str, body: str, cc: str = "") -> str:
        """Send an email."""
        callers.check("mail")
        if "@" not in to:
            raise ToolError(f"550 {to}: not an address")
        return json.dumps({"status": "sent", "to": to, "id": seeded("sent", to, subject, body).randint(5000, 99999)})

    @server.tool()
    def forward_message(message_id: int, to: str, note: str = "") -> str:
        """Forward a message with an optional note."""
        callers.check("mail")
        return json.dumps({"status": "forwarded", "message": message_id, "to": to})

    return server
