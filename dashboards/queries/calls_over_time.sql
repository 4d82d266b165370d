-- Calls by agent, the eight busiest by name, the others together (null).
WITH recent AS (
    SELECT date_trunc($bucket, called_at) AS bucket, coalesce(agent, '') AS agent, count(*) AS n
    FROM calls WHERE called_at >= $since GROUP BY ALL
), busiest AS (
    SELECT agent FROM recent GROUP BY agent ORDER BY sum(n) DESC, agent LIMIT 8
)
SELECT r.bucket, b.agent AS agent, CAST(sum(r.n) AS BIGINT) AS n
FROM recent AS r LEFT JOIN busiest AS b ON b.agent = r.agent
GROUP BY ALL ORDER BY ALL
