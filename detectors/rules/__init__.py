"""One look at calls."""
