"""What other agents at the same server have done for long, so that it is no news when one more begins to."""

BESIDE = "chr(31) || coalesce(server, '')"
"""Whom a counter is about besides its agent: everybody who uses the server. `learn_by=f"unnest([coalesce(agent, ''), {BESIDE}])"`."""

SESSIONS, DAYS = 5, 2
"""What was done in so many sessions, so many days apart, is somebody's daily work; what was done first today may be of the same attack."""


def sessions_of_peers(together: str, own: str, began_at: str) -> str:
    """SQL: in how many sessions peers did it before; 0 where that is no habit. Given are the counters of all and of the agent itself, or nothing."""
    others = f"{together}.sessions - coalesce({own}.sessions, 0)"
    return (f"CASE WHEN {together}.first_at < {began_at} - INTERVAL 1 DAY AND {together}.last_at >= {together}.first_at + INTERVAL {DAYS} DAY "
            f"AND {others} >= {SESSIONS} THEN {others} ELSE 0 END")
