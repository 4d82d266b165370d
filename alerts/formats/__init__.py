"""Shapes that destinations understand: pure functions of an event and an alert's row."""
