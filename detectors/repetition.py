"""How much of a group of calls is the same again, as far as a suspicion can tell."""

REPEATED = "count(*) - count(DISTINCT coalesce(arguments, argument_shingles::VARCHAR))"
"""SQL aggregate over `calls`: as many calls at least as say again what another one said, whatever their tools."""

OF_ONE_TOOL = "count(*) - count(DISTINCT tool) + 1"
"""SQL aggregate over `calls`: no tool has more calls than this."""
