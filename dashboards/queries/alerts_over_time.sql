-- Alerts by the moment of their last call and their severity; $bucket is hour, day or month.
SELECT date_trunc($bucket, coalesce(last_called_at, opened_at)) AS bucket, severity, count(*) AS n
FROM hot.alerts WHERE coalesce(last_called_at, opened_at) >= $since
GROUP BY ALL ORDER BY ALL
