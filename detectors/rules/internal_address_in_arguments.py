r"""A tool is sent to an internal address.

What it detects
An address argument that points to a cloud's metadata service, or to a loopback, private or link-local host, also where it is written so as
to hide that (decimal, hexadecimal, octal, short or IPv6-mapped numbers, full-width digits, names such as `10.0.0.1.nip.io`), and
addresses that read files or speak other protocols (`file:`, `gopher:`).

Why it matters
Server-side request forgery: the server fetches what the agent could not reach, and metadata services hand out its cloud credentials.

False positives
Agents that work with internal services by design: plain private addresses are medium at most. Local development.

Blind spots
Other names that resolve to internal addresses, and redirects, which only the server sees.
"""

from collections.abc import Iterator

from detectors.addresses import place_of
from detectors.contract import Detector, Found, Scope, Slice, quoted
from detectors.scenarios import call
from store.records import Grade, Outcome, Severity

ASK = r"""
WITH suspect AS (
    SELECT call_id FROM calls
    WHERE outcome <> 'denied' AND coalesce(decision, '') <> 'reject' AND regexp_matches(arguments, '(?i)//|\d+\.\d+|metadata|localhost|::|file:|0x[0-9a-f]')
), texts AS (
    SELECT l.call_id, l.tool, l.server, l.name, l.value,
           regexp_extract(value, '(?i)^(?:file|gopher|dict|ldaps?|tftp|jar|netdoc|phar)://?[^\s]{1,200}') AS scheme,
           regexp_extract_all(left(value, 2000), '(?i)(?:\b(?:https?|wss?|ftp):|^)//(?:[^\s/@"'']{0,100}@)?(\[[^\]\s]{1,60}\]|[^\s/:?#"''<>\\,;)\]]{1,200})', 1) AS hosts,
           regexp_extract(value, '(?i)^(?:[^\s/@]*@)?(\[[0-9a-f:.%]{2,60}\]|[0-9a-fx.]{4,45}|[\w.-]+\.(?:internal|nip\.io|sslip\.io)|localhost)(?::\d+)?(?:/.*)?$', 1) AS bare
    FROM leaves AS l SEMI JOIN suspect USING (call_id)
    WHERE len(value) <= 2000 AND NOT regexp_matches(name, 'body|content|text|message|description|patch|diff|prompt|note|comment|code')
)
SELECT *, regexp_matches(name, 'ur[il]|host|address|endpoint|target|link|href|site|server|^ip$|domain') AS addressed FROM texts
WHERE scheme <> '' OR len(hosts) > 0 OR bare <> '' ORDER BY call_id, name, value
"""

_SAID = {"metadata": "points to a metadata service", "hidden": "hides where it points to", "scheme": "reads by another protocol", "private": "points to a private address"}


def find(seen: Slice) -> Iterator[Found]:
    """The worst address of each argument."""
    worst: dict[tuple[str, str], tuple[float, str, dict[str, str]]] = {}
    for row in seen.rows(ASK):
        hosts = [*row["hosts"], *([row["bare"]] if row["addressed"] and row["bare"] else [])]
        for score, kind in _judged(hosts, row["scheme"], row["addressed"]):
            key = (row["call_id"], row["name"])
            if key not in worst or score > worst[key][0]:
                worst[key] = (score, kind, row)
    for (call_id, name), (score, kind, row) in worst.items():
        where = f"Argument {name} of {row['tool']}" + (f" of {row['server']}" if row["server"] else "")
        yield Found(
            scope_key=call_id, subject=name, call_ids=[call_id], grade=Grade.ORDER if kind == "private" else Grade.CONTENT, score=score,
            sentence=f"{where} {_SAID[kind]}: {quoted(row['value'])}", evidence={"argument": name, "matched": quoted(row["value"]), "kind": kind},
        )


def _judged(hosts: list[str], scheme: str, addressed: bool) -> Iterator[tuple[float, str]]:
    if scheme:
        yield 0.8, "scheme"
    for place in map(place_of, hosts):
        if place.metadata:
            yield 1.0, "metadata"
        elif place.inside and place.hidden:
            yield 0.8, "hidden"
        elif place.inside and addressed:
            yield 0.4, "private"


DETECTOR = Detector(
    severity=Severity.HIGH,
    techniques=("owasp-mcp:2025:MCP05", "owasp-asi:2026:ASI05", "safe-mcp:SAFE-T1101", "attack:T1552", "attack:T1190"),
    scope=Scope.CALL,
    suspect=r"bool_or(regexp_matches(arguments, '(?i)//|\d+\.\d+|metadata|localhost|::|file:|0x[0-9a-f]'))",
    find=find,
    fires_on={
        "the metadata service": [call("fetch", {"url": "http://169.254.169.254/latest/meta-data/iam/"}, server="web")],
        "the same as a decimal number": [call("fetch", {"url": "http://2852039166/latest/"}, server="web")],
        "as octal parts": [call("fetch", {"url": "http://0251.0376.0251.0376/latest/"}, server="web")],
        "as short hexadecimal": [call("fetch", {"url": "http://0xa9.0xfea9fe/latest/"}, server="web")],
        "mapped into IPv6": [call("fetch", {"url": "http://[::ffff:a9fe:a9fe]/latest/"}, server="web")],
        "in full-width digits": [call("fetch", {"url": "http://169。254。169。254/latest/"}, server="web")],
        "by a name that carries it": [call("fetch", {"url": "https://169-254-169-254.nip.io/latest/"}, server="web")],
        "Google's by name": [call("fetch", {"url": "http://metadata.google.internal/computeMetadata/v1/"}, server="web")],
        "loopback in one number": [call("fetch", {"url": "http://127.1:6379/"}, server="web")],
        "a loopback service": [call("fetch", {"url": "http://127.0.0.1:8080/admin"}, server="web")],
        "a file": [call("fetch", {"url": "file:///etc/passwd"}, server="web")],
    },
    quiet_on={
        "a public page": [call("fetch", {"url": "https://example.org/169.254"}, server="web")],
        "a public address": [call("fetch", {"url": "http://93.184.216.34/"}, server="web")],
        "a public address in a name": [call("fetch", {"url": "https://93-184-216-34.nip.io/"}, server="web")],
        "a version that looks like an address": [call("install", {"package": "driver", "version": "10.0.0.1"}, server="packages")],
        "a number": [call("get_order", {"id": "2852039166"}, server="shop")],
        "a text about it": [call("create_page", {"title": "SSRF", "body": "Block http://169.254.169.254/ on every host."}, server="wiki")],
        "the call was denied": [call("fetch", {"url": "http://169.254.169.254/latest/"}, None, server="web", outcome=Outcome.DENIED)],
    },
)
