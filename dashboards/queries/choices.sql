-- What the filters of the queue offer.
SELECT list_sort(list(DISTINCT agent)) AS agents, list_sort(list(DISTINCT server)) AS servers, list_sort(list(DISTINCT detector)) AS detectors
FROM (
    SELECT unnest(agents) AS agent, NULL AS server, NULL AS detector FROM hot.alerts
    UNION ALL SELECT NULL, unnest(servers), NULL FROM hot.alerts
    UNION ALL SELECT NULL, NULL, unnest(detectors) FROM hot.alerts
)
