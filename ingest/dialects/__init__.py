"""Attribute vocabularies, one file each: how a source says "tool call", and how that becomes records."""
