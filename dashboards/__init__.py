"""Pages and HTTP API, served by the engine process."""
