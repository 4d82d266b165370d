"""Ordinary work: one module per agent, each with `TASKS`, functions from a random source to the turns of a session."""
