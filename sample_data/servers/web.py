"""A web server for agents: fetching pages and searching."""

import json

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from sample_data import texts
from sample_data.script import seeded
from sample_data.servers import planted


def build(name: str, version: str) -> MCPServer:
    """The server."""
    server = MCPServer(name, version=version)

    @server.tool()
    def fetch(url: str) -> str:
        """Fetch a page and return its text as Markdown."""
        if url in planted.PAGES:
            return planted.PAGES[url]
        if url.startswith("http://169.254."):
            return planted.METADATA
        random = seeded("page", url)
        if random.random() < 0.05:
            raise ToolError(f"404 Not Found: {url}")
        title = url.rstrip("/").rpartition("/")[2].replace("-", " ").title()
        return f"# {title}\n\n{texts.document(random)}\n\nContact: press@{url.split('/')[2]}"

    @server.tool()
    def search_web(query: str, limit: int = 5) -> str:
        """Search the web; returns titles and addresses."""
        random = seeded("web", query)
        rows = []
        for company in random.sample(texts.COMPANIES, min(limit, 5)):
            host = company.lower().replace(" ", "-") + ".example"
            rows.append(
                {
                    "title": f"{company}: {random.choice(('News', 'About', 'Products', 'Careers'))}",
                    "url": f"https://{host}/{random.choice(('news', 'about', 'blog/2026', 'products'))}",
                }
            )
        return json.dumps(rows)

    return server
