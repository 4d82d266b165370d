"""Order inside a session: flows, loops, chains."""
