r"""A tool is sent to an internal address.

What it detects
An address argument that points to a cloud's metadata service, or to a loopback, private or link-local host, also where it is written so as
to hide that (decimal, hexadecimal, octal, IPv6-mapped, `file:` and `gopher:`).

Why it matters
Server-side request forgery: the server fetches what the agent could not reach, and metadata services hand out its cloud credentials.

False positives
Agents that work with internal services by design: plain private addresses are medium at most. Local development.

Blind spots
Names that resolve to internal addresses, and redirects, which only the server sees.
"""

from detectors.contract import Detector, Scope
from detectors.scenarios import call
from store.records import Outcome, Severity

FIND = r"""
WITH suspect AS (
    SELECT call_id FROM calls
    WHERE outcome <> 'denied' AND regexp_matches(arguments, '(?i)169\.254|metadata\.google|metadata\.azure|fd00:ec2|::ffff:|0x[0-9a-f]{8}|//(?:127|10|0|192\.168|172\.|\[|\d{8,10}|0[0-7]+\.|localhost)|file://|gopher://|100\.100\.100\.200')
), judged AS (
    SELECT l.*,
        regexp_extract(value, '(?i)(?:https?://)?(?:[^\s/@]*@)?(?:169\.254\.169\.254|169\.254\.170\.2|100\.100\.100\.200|metadata\.google\.internal|metadata\.azure\.com|\[?fd00:ec2::254\]?|\[?::ffff:a9fe:a9fe\]?|\[?::ffff:169\.254\.169\.254\]?|2852039166|0xa9fea9fe|0251\.0376\.0251\.0376)[^\s]{0,80}')
            AS metadata,
        regexp_extract(value, '(?i)https?://(?:0x[0-9a-f]{8}|0[0-7]{2,3}\.[0-7.]+|\d{8,10}|\[::ffff:[^\]]+\])(?:[:/][^\s]{0,80})?|^(?:file|gopher|dict|ldap)://[^\s]{1,100}')
            AS disguised,
        CASE WHEN regexp_matches(name, 'ur[il]|host|address|endpoint|target|link|href|site|server')
             THEN regexp_extract(value, '(?i)^https?://(?:127\.\d+\.\d+\.\d+|localhost|0\.0\.0\.0|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|172\.(?:1[6-9]|2\d|3[01])\.\d+\.\d+|169\.254\.\d+\.\d+|\[::1\])(?:[:/][^\s]{0,80})?$')
             ELSE '' END AS private
    FROM leaves AS l SEMI JOIN suspect USING (call_id)
    WHERE len(value) <= 2000 AND NOT regexp_matches(name, 'body|content|text|message|description|patch|diff|prompt|note|comment|code')
)
SELECT call_id AS scope_key, name AS subject, [call_id] AS call_ids,
       CASE WHEN metadata <> '' OR disguised <> '' THEN 3 ELSE 1 END AS grade,
       CASE WHEN metadata <> '' THEN 1.0 WHEN disguised <> '' THEN 0.8 ELSE 0.4 END AS score,
       'Argument ' || name || ' of ' || tool || coalesce(' of ' || server, '')
           || CASE WHEN metadata <> '' THEN ' points to a metadata service: ' WHEN disguised <> '' THEN ' hides where it points to: ' ELSE ' points to a private address: ' END
           || printed(coalesce(nullif(metadata, ''), nullif(disguised, ''), private)) AS sentence,
       {'argument': name, 'matched': printed(coalesce(nullif(metadata, ''), nullif(disguised, ''), private))} AS evidence
FROM judged WHERE metadata <> '' OR disguised <> '' OR private <> ''
QUALIFY row_number() OVER (PARTITION BY call_id, name ORDER BY score DESC, value) = 1
"""

DETECTOR = Detector(
    severity=Severity.HIGH,
    techniques=("owasp-mcp:2025:MCP05", "owasp-asi:2026:ASI05", "safe-mcp:SAFE-T1101", "attack:T1552", "attack:T1190"),
    scope=Scope.CALL,
    find=FIND,
    fires_on={
        "the metadata service": [call("fetch", {"url": "http://169.254.169.254/latest/meta-data/iam/"}, server="web")],
        "the same as a decimal number": [call("fetch", {"url": "http://2852039166/latest/"}, server="web")],
        "a loopback service": [call("fetch", {"url": "http://127.0.0.1:8080/admin"}, server="web")],
    },
    quiet_on={
        "a public page": [call("fetch", {"url": "https://example.org/169.254"}, server="web")],
        "a version that looks like an address": [call("install", {"package": "driver", "version": "10.0.0.1"}, server="packages")],
        "a text about it": [call("create_page", {"title": "SSRF", "body": "Block http://169.254.169.254/ on every host."}, server="wiki")],
        "the call was denied": [call("fetch", {"url": "http://169.254.169.254/latest/"}, None, server="web", outcome=Outcome.DENIED)],
    },
)
