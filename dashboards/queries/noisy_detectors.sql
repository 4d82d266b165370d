-- Detectors by the alerts they opened, with what analysts made of them.
SELECT detector, count(*) AS opened, count(*) FILTER (state <> 'closed') AS standing,
       count(*) FILTER (verdict = 'true_positive') AS true_positive,
       count(*) FILTER (verdict IN ('false_positive', 'benign_positive')) AS not_a_threat
FROM (SELECT unnest(detectors) AS detector, state, verdict FROM hot.alerts WHERE opened_at >= $since)
GROUP BY detector ORDER BY opened DESC, detector LIMIT 10
