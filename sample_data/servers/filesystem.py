"""A file server over the home folder of the person."""

import json
import posixpath

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from sample_data import texts
from sample_data.script import seeded
from sample_data.servers import planted

_written: dict[str, str] = {}


def build(name: str, version: str) -> MCPServer:
    """The server."""
    server = MCPServer(name, version=version)

    @server.tool()
    def read_text_file(path: str) -> str:
        """Read a text file. Works only within allowed directories."""
        if "/../" in path:
            raise ToolError(f"Access denied - path outside allowed directories: {posixpath.normpath(path)}")
        if path in _written:
            return _written[path]
        if path in planted.FILES:
            return planted.FILES[path]
        if "/notes/" in path and seeded("missing", path).random() < 0.15:
            raise ToolError(f"ENOENT: no such file or directory, open '{path}'")
        return _content(path)

    @server.tool()
    def write_text_file(path: str, content: str) -> str:
        """Create a file or replace its content."""
        _written[path] = content
        return f"Successfully wrote {len(content)} characters to {path}"

    @server.tool()
    def list_directory(path: str) -> str:
        """List files and folders in a directory."""
        random = seeded("folder", path)
        names = [f"{stem}-{random.randint(1, 60):02d}.{ending}" for stem, ending in _STEMS if random.random() < 0.7]
        return "\n".join(f"[FILE] {name}" for name in names) or "(empty)"

    @server.tool()
    def search_files(path: str, pattern: str) -> str:
        """Search for files whose name matches a pattern, recursively."""
        random = seeded("search", path, pattern)
        stem = pattern.strip("*") or "notes"
        return json.dumps([f"{path}/{random.choice(('2025', '2026'))}/{stem}-{index}.md" for index in range(random.randint(0, 4))])

    return server


_STEMS = (("notes", "md"), ("budget", "csv"), ("invoice", "txt"), ("plan", "md"), ("contacts", "csv"), ("draft", "md"))


def _content(path: str) -> str:
    random = seeded("content", path)
    if "invoice" in path:
        return planted.invoice(path)
    if path.endswith(".csv"):
        return texts.table(random, "month,item,amount", random.randint(6, 24), list(range(1, 13)), _ITEMS, (40.0, 2400.0))
    if path.endswith((".toml", ".yml", ".ini")):
        return f'# {path}\nretries = {random.randint(2, 6)}\ntimeout_s = {random.randint(10, 90)}\nregion = "eu-{random.randint(1, 3)}"\n'
    return f"{path.rpartition('/')[2]}\n\n{texts.document(random)}"


_ITEMS = ("rent", "licences", "travel", "hardware", "cleaning", "training", "hosting")
