"""A weather server; version 1.1.0 honestly adds a parameter."""

from mcp.server.mcpserver import MCPServer

from sample_data.script import seeded

_SKY = ("sunny", "cloudy", "light rain", "windy", "fog in the morning", "showers")


def build(name: str, version: str) -> MCPServer:
    """The server, with the tool as this version has it."""
    server = MCPServer(name, version=version)

    def forecast(city: str, days: int = 1) -> str:
        """Get the weather forecast for a city."""
        random = seeded("weather", city, days)
        return "\n".join(f"day {day + 1}: {random.choice(_SKY)}, {random.randint(2, 17)} C" for day in range(days))

    def forecast_in_units(city: str, days: int = 1, units: str = "metric") -> str:
        """Get the weather forecast for a city for up to ten days, in metric or imperial units."""
        return forecast(city, days)

    server.add_tool(forecast if version == "1.0.0" else forecast_in_units, name="forecast")
    return server
