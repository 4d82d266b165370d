"""Findings on their way to somebody's attention: grouped, ranked, decided about, delivered."""
