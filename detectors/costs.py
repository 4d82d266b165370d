"""What a call's own attributes tell of its tokens and its costs, in the vocabularies that are in use, as SQL over `calls`."""

_TOTAL = r'(?i)"[\w.]*(?:total_tokens|token_count\.total)":\s*"?(\d{1,12})'
_PARTS = r'(?i)"(?:(?:gen_ai|llm|ai|usage|[a-z]+_usage)\.)*(?:(?:input|output|prompt|completion)_tokens|token_count\.(?:prompt|completion))":\s*"?(\d{1,12})'
_COST = r'(?i)"[\w.]*cost(?:_usd|\.total)?":\s*"?(\d{1,9}(?:\.\d{1,9})?)'

TOKENS = f"""CASE WHEN contains(attributes, 'token') THEN coalesce(
    nullif(regexp_extract(attributes, '{_TOTAL}', 1), '')::BIGINT, list_sum(regexp_extract_all(attributes, '{_PARTS}', 1)::BIGINT[])) END"""
"""Tokens of a call; NULL where it tells none."""
COST = f"CASE WHEN contains(attributes, 'cost') THEN nullif(regexp_extract(attributes, '{_COST}', 1), '')::DOUBLE END"
"""Costs of a call, in the currency that it tells them in; NULL where it tells none."""
