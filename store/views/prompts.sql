-- The place of each call in its session, numbered from 1, and everything that the user had said by then.
SELECT
    c.call_id,
    row_number() OVER (PARTITION BY c.session_id ORDER BY c.called_at, c.seq, c.call_id) AS step,
    p.prompt
FROM calls AS c
LEFT JOIN (
    SELECT k.call_id, string_agg(m.text, chr(10) ORDER BY m.said_at, m.message_id) AS prompt
    FROM (SELECT call_id, session_id, called_at FROM calls) AS k
    JOIN messages AS m ON m.session_id = k.session_id AND m.role = 'user' AND m.said_at <= k.called_at
    GROUP BY k.call_id
) AS p ON p.call_id = c.call_id
