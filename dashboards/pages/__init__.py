"""One module per page: what it asks of the workspace, and its template."""
