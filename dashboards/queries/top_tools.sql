-- The tools that are called most, with how they end.
SELECT coalesce(server, '') AS server, tool, count(*) AS calls, count(*) FILTER (outcome = 'error') AS errors,
       count(*) FILTER (outcome = 'denied') AS denied, count(DISTINCT session_id) AS sessions
FROM calls WHERE called_at >= $since
GROUP BY ALL ORDER BY calls DESC, server, tool LIMIT 10
