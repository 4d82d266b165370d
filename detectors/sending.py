"""Which tools send, by the words of their names."""

SENDS = (
    r"regexp_matches(lower(regexp_replace(tool, '([a-z0-9])([A-Z])', '\1_\2', 'g')), '(?:^|[^a-z])(?:send|e?mail|post|message|upload|publish|share"
    r"|comment|tweet|webhook|request|reply|forward|invite|push|export|sms|notify|broadcast|put)(?:[^a-z]|$)')"
)
"""SQL: whether `tool` brings something to somebody; camel case is read as words."""
