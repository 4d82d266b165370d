"""Which tools are privileged, by the words of their names."""

_WORDS = (
    "delete|drop|remove|destroy|purge|wipe|truncate|grant|revoke|admin|sudo|role|permission|acl|polic(?:y|ies)|impersonate"
    "|transfer|pay|payment|refund|wire|withdraw|deploy|exec|execute|shell|command|terminate|shutdown|disable|merge|approve|release"
    "|(?:create|add|invite|update|reset)_(?:user|member|account|token|key)|(?:user|member|account|token|key)_(?:create|add|invite|update|reset)"
)
_READING = "get|list|read|show|search|find|describe|view|count|check|lookup|query|fetch"
_SECRETS = "secret|credential|password|private_key|api_?key|access_token"
_NAME = r"lower(regexp_replace(tool, '([a-z0-9])([A-Z])', '\1_\2', 'g'))"

PRIVILEGED = rf"""(regexp_matches({_NAME}, '(?:^|[^a-z])(?:{_SECRETS})s?(?:[^a-z]|$)') OR (
    regexp_matches({_NAME}, '(?:^|[^a-z])(?:{_WORDS})s?(?:[^a-z]|$)') AND NOT regexp_matches({_NAME}, '^(?:\w+__)?(?:{_READING})_')))"""
"""SQL: whether `tool` destroys, pays, runs code, hands out secrets, or changes who may do what; camel case is read as words."""
