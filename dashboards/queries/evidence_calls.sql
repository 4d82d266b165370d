-- The calls that prove an alert, in order.
SELECT call_id AS id, 'call' AS kind, session_id, called_at AS happened_at, agent, principal, server, tool, outcome, duration_ms, decision, decided_by,
       transport, dialect, error_type, error_message, left(arguments, 20000) AS said, length(arguments) AS said_length,
       arguments_state AS said_state, left(result, 20000) AS result, length(result) AS result_length, result_state
FROM calls WHERE call_id IN (SELECT unnest($call_ids))
ORDER BY called_at, seq, call_id LIMIT 200
