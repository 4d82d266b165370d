"""The MCP servers, one module per kind, each with `build(name, version)`."""
