"""How far the engine has come, for the health page."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Progress:
    """What the engine did since it started."""

    records: int = 0
    files: int = 0
    repeated: int = 0
    contradicted: int = 0
    ahead: int = 0
    alerts: int = 0
    last_step_at: datetime | None = None
    failures: dict[str, str] = field(default_factory=dict)
    trouble: str | None = None
    look_trouble: str | None = None
    delivery_trouble: str | None = None
