"""The marks that masked secrets leave in texts, `[secret:KIND:DIGEST]`, as SQL patterns."""

MARK = r"\[secret:[a-z0-9-]{1,40}:[0-9a-f]{16}\]"
KIND = r"\[secret:([a-z0-9-]{1,40}):[0-9a-f]{16}\]"

WEAK_KINDS = (
    "('assigned-secret', 'password', 'url-password', 'database-password', 'authorization', 'bearer-token', 'cookie', 'basic-auth', 'password-hash', "
    "'seed-phrase', 'wallet-key', 'jwt', 'jwe', 'card-number')"
)
"""Kinds that only their surroundings give away, or that are ordinary in honest texts."""
