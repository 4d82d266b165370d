"""Which tools are privileged, by the words of their names."""

_THINGS = "admin|role|permission|acl|polic(?:y|ies)|payment"
_DOING = (
    "delete|drop|remove|destroy|purge|wipe|truncate|grant|revoke|sudo|impersonate"
    "|transfer|pay|refund|wire|withdraw|deploy|exec|execute|shell|command|terminate|shutdown|disable|merge|approve|release"
    "|(?:create|add|invite|update|reset)_(?:user|member|account|token|key)|(?:user|member|account|token|key)_(?:create|add|invite|update|reset)"
)
_READING = "get|list|read|show|search|find|describe|view|count|check|lookup|query|fetch"
_READS = "get|list|read|show|search|find|describe|view|check|lookup|fetch"
"""Behind a thing, as in `policy_lookup`: it is read. `remove_from_list` still removes."""
_SECRETS = "secret|credential|password|private_key|api_?key|access_token"
_NAME = r"lower(regexp_replace(tool, '([a-z0-9])([A-Z])', '\1_\2', 'g'))"

PRIVILEGED = rf"""(regexp_matches({_NAME}, '(?:^|[^a-z])(?:{_SECRETS})s?(?:[^a-z]|$)') OR (
    NOT regexp_matches({_NAME}, '^(?:\w+__)?(?:{_READING})_') AND (
        regexp_matches({_NAME}, '(?:^|[^a-z])(?:{_DOING})s?(?:[^a-z]|$)')
        OR regexp_matches({_NAME}, '(?:^|[^a-z])(?:{_THINGS})s?(?:[^a-z]|$)') AND NOT regexp_matches({_NAME}, '_(?:{_READS})$'))))"""
"""SQL: whether `tool` destroys, pays, runs code, hands out secrets, or changes who may do what; camel case is read as words."""
