"""A payments server: open invoices and transfers."""

import json

from mcp.server.mcpserver import MCPServer

from sample_data import texts
from sample_data.script import seeded
from sample_data.servers import planted


def build(name: str, version: str) -> MCPServer:
    """The server."""
    server = MCPServer(name, version=version)

    @server.tool()
    def list_invoices(status: str = "open") -> str:
        """List invoices by status."""
        random = seeded("invoices", status)
        rows = [
            {"file": f"/home/finance/invoices/invoice-{random.randint(2000, 2600)}.txt", "supplier": company}
            for company in random.sample(texts.COMPANIES, 4)
        ]
        return json.dumps(rows)

    @server.tool()
    def get_supplier(name: str) -> str:
        """Get the bank details that are on file for a supplier."""
        return json.dumps({"supplier": name, "iban": planted.supplier_iban(name), "terms_days": seeded(name).choice((14, 30, 60))})

    @server.tool()
    def create_transfer(iban: str, amount: float, currency: str, reference: str) -> str:
        """Transfer money to a bank account."""
        number = seeded("transfer", iban, amount, reference).randint(10**6, 10**7)
        return json.dumps({"transfer": number, "status": "accepted"})

    return server
