-- What is said and done in a session, one row each, in order: for timelines.
SELECT session_id, said_at AS happened_at, 0 AS seq, role AS kind, message_id AS id, agent, NULL AS server, NULL AS tool,
       text AS said, NULL AS result, text_state AS said_state, NULL AS result_state, NULL AS outcome, NULL AS duration_ms, NULL AS decision
FROM messages
UNION ALL
SELECT session_id, called_at, coalesce(seq, 0) + 1, 'call', call_id, agent, server, tool,
       arguments, result, arguments_state, result_state, outcome, duration_ms, decision
FROM calls
