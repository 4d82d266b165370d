"""Which calls were refused for who made them, by outcome, status and wording."""

REFUSED = r"""(CASE WHEN outcome IN ('error', 'denied') THEN regexp_matches(lower(concat_ws(' ', error_type, error_message, left(result, 500))),
    '\b(401|403|407)\b|unauthori[sz]ed|forbidden|permission denied|access denied|not permitted|invalid (api )?(token|key|credential)|authentication') ELSE false END)"""
"""SQL over `calls`: whether the call was refused."""
