-- Calls in the order of their session, numbered from 1, with everything that the user had said by then.
SELECT c.*, p.step, p.prompt FROM calls AS c JOIN prompts AS p USING (call_id)
