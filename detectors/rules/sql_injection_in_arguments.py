r"""SQL in an argument that is no query, or a query that was broken out of.

What it detects
A value that closes a string and goes on as SQL (`' OR 1=1 --`, `' UNION SELECT`, `'; DROP TABLE`) in any argument; and in a query, a
second statement that changes data or rights behind a first that only reads.

Why it matters
Servers that put arguments into statements run them with their own rights; a stored text can also wait there for the next reader.

False positives
Texts about SQL injection: long texts and text-like arguments are left out.

Blind spots
Injection without quotes, and dialects with other comment signs.
"""

from detectors.contract import Detector, Scope
from detectors.scenarios import call
from store.records import Outcome, Severity

FIND = r"""
WITH suspect AS (
    SELECT call_id FROM calls WHERE outcome <> 'denied' AND regexp_matches(arguments, '(?i)''|--|;|union')
), judged AS (
    SELECT l.*,
        CASE WHEN len(value) > 2000 OR regexp_matches(name, 'body|content|text|message|description|patch|diff|prompt|note|comment|code') THEN ''
             WHEN regexp_matches(name, 'sql|query|statement')
             THEN regexp_extract(value, '(?i)[''"]\s*(?:\)\s*)?or\s+(?:[''"]?1[''"]?\s*=\s*[''"]?1\b|true\b|[''"]a[''"]\s*=\s*[''"]a\b)')
             ELSE regexp_extract(value, '(?i)[''"]\s*(?:\)\s*)?(?:or|and)\s+(?:[''"]?\w{1,20}[''"]?\s*=\s*[''"]?\w{1,20}|true)\s*(?:--|#|/\*|$)|[''"]\s*(?:\)\s*)?(?:or|and)\s+[''"]?1[''"]?\s*=\s*[''"]?1|[''"]\s*\)?\s*union\s+(?:all\s+)?select\b|[''"]\s*\)?\s*;\s*(?:drop|delete|insert|update|alter|create|grant|exec|truncate)\b')
             END AS broken_out,
        CASE WHEN regexp_matches(name, 'sql|query|statement')
             THEN regexp_extract(value, '(?is)^\s*(?:select|with|show)\b.*?;\s*(?:drop\s+\w+|delete\s+from|alter\s+\w+|grant\s+\w+|truncate\s+\w+|insert\s+into|update\s+\w+\s+set)\b')
             ELSE '' END AS stacked
    FROM leaves AS l SEMI JOIN suspect USING (call_id)
)
SELECT call_id AS scope_key, name AS subject, [call_id] AS call_ids, 3 AS grade, 0.9 AS score,
       'Argument ' || name || ' of ' || tool || coalesce(' of ' || server, '')
           || CASE WHEN broken_out <> '' THEN ' closes a string and goes on as SQL: ' ELSE ' puts a change behind a read: ' END
           || printed(CASE WHEN broken_out <> '' THEN broken_out ELSE right(stacked, 100) END) AS sentence,
       {'argument': name, 'matched': printed(CASE WHEN broken_out <> '' THEN broken_out ELSE right(stacked, 100) END)} AS evidence
FROM judged WHERE broken_out <> '' OR stacked <> ''
QUALIFY row_number() OVER (PARTITION BY call_id, name ORDER BY value) = 1
"""

DETECTOR = Detector(
    severity=Severity.HIGH,
    techniques=("owasp-mcp:2025:MCP05", "owasp-asi:2026:ASI05", "owasp-llm:2026:LLM10", "safe-mcp:SAFE-T1101", "attack:T1190"),
    scope=Scope.CALL,
    suspect="bool_or(regexp_matches(arguments, '(?i)''|--|;|union'))",
    find=FIND,
    fires_on={
        "a tautology": [call("find_customer", {"name": "x' OR '1'='1' --"}, server="crm")],
        "a union": [call("get_order", {"id": "7' UNION SELECT name, token FROM secrets --"}, server="shop")],
        "a tautology in a query": [call("query", {"sql": "SELECT * FROM users WHERE name = 'x' OR 1=1 --'"}, server="database")],
        "a drop behind a select": [call("query", {"sql": "SELECT * FROM orders; DROP TABLE orders"}, server="database")],
    },
    quiet_on={
        "a name with an apostrophe": [call("find_customer", {"name": "Pat O'Brien or his brother"}, server="crm")],
        "an ordinary query": [call("query", {"sql": "SELECT id FROM orders WHERE state = 'open' OR state = 'late' -- this week"}, server="database")],
        "an ordinary condition behind a text": [call("query", {"sql": "SELECT sum(eur) FROM sales WHERE region = 'north' and month = 7"}, server="database")],
        "two reads": [call("query", {"sql": "SELECT 1; SELECT 2"}, server="database")],
        "the call was denied": [call("find_customer", {"name": "x' OR '1'='1' --"}, None, server="crm", outcome=Outcome.DENIED)],
    },
)
