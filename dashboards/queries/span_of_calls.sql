-- When the first and the last call were made, and how many there are.
SELECT min(called_at) AS first_at, max(called_at) AS last_at, count(*) AS calls FROM calls
