"""A subject against its own past and its peers."""
