-- The text values inside the arguments of calls, one row each, with their key: what a detector of bad arguments looks at.
SELECT c.call_id, c.session_id, c.agent, c.server, c.tool, c.outcome, c.decision, c.called_at,
       lower(regexp_extract(j.fullkey, '([^.\[\]"]+)"?(\[\d+\])*$', 1)) AS name, j.value ->> '$' AS value
FROM calls AS c, json_tree(CASE WHEN json_valid(c.arguments) THEN c.arguments ELSE json_object('', c.arguments)::VARCHAR END) AS j
WHERE j.type = 'VARCHAR' AND c.arguments IS NOT NULL
