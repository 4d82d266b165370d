"""The one door: open a workspace by folder or address, ask it, and triage what it found."""

from toolhound.workspace import Workspace, connect

__all__ = ["Workspace", "connect"]
