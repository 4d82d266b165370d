-- A server's calls by outcome.
SELECT date_trunc($bucket, called_at) AS bucket, coalesce(outcome, 'unknown') AS outcome, count(*) AS n
FROM calls WHERE coalesce(server, '') = $server
GROUP BY ALL ORDER BY ALL
