-- What each detector found and what became of its alerts.
SELECT coalesce(f.detector, a.detector) AS detector, coalesce(findings, 0) AS findings, last_found_at, coalesce(opened, 0) AS opened,
       coalesce(standing, 0) AS standing, coalesce(true_positive, 0) AS true_positive, coalesce(benign_positive, 0) AS benign_positive,
       coalesce(false_positive, 0) AS false_positive
FROM (SELECT detector, count(*) AS findings, max(found_at) AS last_found_at FROM hot.findings GROUP BY detector) AS f
FULL JOIN (
    SELECT detector, count(*) AS opened, count(*) FILTER (state <> 'closed') AS standing,
           count(*) FILTER (verdict = 'true_positive') AS true_positive, count(*) FILTER (verdict = 'benign_positive') AS benign_positive,
           count(*) FILTER (verdict = 'false_positive') AS false_positive
    FROM (SELECT unnest(detectors) AS detector, state, verdict FROM hot.alerts) GROUP BY detector
) AS a ON a.detector = f.detector
