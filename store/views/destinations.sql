-- Where each call's arguments point to: hashed addresses, URLs, hosts, accounts and phone numbers (the low four bits of an atom are its kind).
SELECT call_id, session_id, agent, server, tool, called_at, atom AS destination
FROM (SELECT call_id, session_id, agent, server, tool, called_at, unnest(argument_atoms) AS atom FROM calls)
WHERE (atom & 15) IN (1, 2, 3, 4, 8)
