-- How much went on in each session.
SELECT session_id, count(*) AS calls, count(DISTINCT server) AS servers, count(DISTINCT hash(server, tool)) AS tools,
       count(*) FILTER (outcome = 'error') AS errors, count(DISTINCT principal) AS principals, count(DISTINCT client_address) AS addresses
FROM calls WHERE session_id IS NOT NULL GROUP BY session_id
