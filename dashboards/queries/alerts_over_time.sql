-- Alerts by the moment they were opened and their severity; $bucket is hour, day or month.
SELECT date_trunc($bucket, opened_at) AS bucket, severity, count(*) AS n
FROM hot.alerts WHERE opened_at >= $since
GROUP BY ALL ORDER BY ALL
