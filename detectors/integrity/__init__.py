"""Tool definitions, servers, access."""
