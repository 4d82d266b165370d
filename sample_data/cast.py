"""Who plays: the agents, the people they work for, and the MCP servers."""

from dataclasses import dataclass
from typing import Literal

Export = Literal["grpc", "http_protobuf", "http_json", "none"]
Dialect = Literal["pydantic_ai", "openinference", "gateway"]


@dataclass(frozen=True, slots=True)
class Server:
    """An MCP server; `version` is what it reports, `export` how its own spans are sent."""

    name: str
    stdio: bool
    export: Export
    version: str
    median_ms: float


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent, the servers it normally has, and how its telemetry leaves it."""

    name: str
    dialect: Dialect
    export: Export
    model: str
    version: str
    instructions: str
    servers: tuple[str, ...]
    people: tuple[str, ...]
    daily: int
    weekends: bool = False


SERVERS = {
    server.name: server
    for server in (
        Server("github-mcp", False, "grpc", "2.4.1", 180),
        Server("mail-mcp", False, "http_protobuf", "1.9.0", 120),
        Server("filesystem-mcp", True, "none", "2026.8.1", 6),
        Server("postgres-mcp", False, "grpc", "0.6.2", 45),
        Server("web-mcp", False, "http_protobuf", "3.1.0", 640),
        Server("chat-mcp", False, "http_protobuf", "1.2.7", 150),
        Server("calendar-mcp", True, "none", "0.4.0", 80),
        Server("crm-mcp", False, "grpc", "5.0.3", 210),
        Server("tickets-mcp", False, "grpc", "1.7.4", 95),
        Server("memory-mcp", True, "none", "0.9.1", 4),
        Server("calculator-mcp", True, "http_protobuf", "1.1.0", 2),
        Server("weather-mcp", False, "http_protobuf", "1.0.0", 260),
        Server("monitoring-mcp", False, "grpc", "4.2.0", 130),
        Server("shell-mcp", True, "http_protobuf", "0.3.5", 350),
        Server("payments-mcp", False, "grpc", "2.0.8", 300),
        # Third-party servers, which tell nobody what they do.
        Server("weather-mcp@1.1.0", False, "http_protobuf", "1.1.0", 260),
        Server("daily-fact-mcp", False, "none", "1.0.3", 90),
        Server("daily-fact-mcp@changed", False, "none", "1.0.3", 90),
        Server("quickmath-mcp", False, "none", "0.0.7", 12),
        Server("unit-converter-mcp", False, "none", "0.2.0", 14),
        Server("phrasebook-mcp", False, "none", "1.3.0", 33),
    )
}


def public_name(server: str) -> str:
    """The name a server goes by, whichever variant of it is running."""
    return server.partition("@")[0]


AGENTS = {
    agent.name: agent
    for agent in (
        Agent(
            "support-desk",
            "pydantic_ai",
            "grpc",
            "gpt-5.2",
            "3.4.0",
            "You help the support team to answer customers. Be polite and precise.",
            ("tickets-mcp", "postgres-mcp", "crm-mcp", "mail-mcp"),
            ("dana.ortiz@example.com", "femi.adeyemi@example.com", "lukas.brandt@example.com"),
            8,
        ),
        Agent(
            "code-reviewer",
            "pydantic_ai",
            "http_protobuf",
            "claude-sonnet-5",
            "1.12.2",
            "You review pull requests and triage issues of example-org.",
            ("github-mcp", "filesystem-mcp"),
            ("mina.park@example.com", "joao.silva@example.com", "ravi.menon@example.com"),
            6,
        ),
        Agent(
            "finance-assistant",
            "pydantic_ai",
            "grpc",
            "gpt-5.2",
            "2.0.1",
            "You help accounts payable. Never pay without being asked.",
            ("filesystem-mcp", "payments-mcp", "mail-mcp", "calculator-mcp"),
            ("ines.moreau@example.com", "tom.becker@example.com"),
            6,
        ),
        Agent(
            "sre-oncall",
            "pydantic_ai",
            "grpc",
            "claude-opus-5",
            "0.9.8",
            "You assist the engineer on call. Look before you act.",
            ("monitoring-mcp", "shell-mcp", "chat-mcp"),
            ("aiko.tanaka@example.com", "sam.okafor@example.com", "petra.novak@example.com"),
            6,
            weekends=True,
        ),
        Agent(
            "personal-assistant",
            "pydantic_ai",
            "http_protobuf",
            "gpt-5.2-mini",
            "1.5.0",
            "You are the personal assistant of the person you talk to.",
            ("mail-mcp", "calendar-mcp", "filesystem-mcp", "memory-mcp", "chat-mcp", "weather-mcp", "daily-fact-mcp"),
            ("olivia.hart@example.com", "noah.fischer@example.com", "zara.khan@example.com"),
            6,
            weekends=True,
        ),
        Agent(
            "data-analyst",
            "pydantic_ai",
            "http_json",
            "gemini-3-pro",
            "0.7.3",
            "You answer questions about numbers with SQL. Show your steps.",
            ("postgres-mcp", "calculator-mcp", "filesystem-mcp"),
            ("lea.dubois@example.com", "marco.rossi@example.com"),
            6,
        ),
        Agent(
            "docs-writer",
            "openinference",
            "http_json",
            "claude-sonnet-5",
            "0.4.4",
            "You write and check documentation.",
            ("github-mcp", "web-mcp", "filesystem-mcp"),
            ("hana.suzuki@example.com", "erik.lund@example.com"),
            5,
        ),
        Agent(
            "sales-researcher",
            "openinference",
            "http_json",
            "gpt-5.2",
            "1.1.0",
            "You research companies before a sales call.",
            ("web-mcp", "crm-mcp", "mail-mcp", "memory-mcp"),
            ("carla.mendes@example.com", "ben.wright@example.com"),
            5,
        ),
        Agent(
            "hr-onboarding",
            "gateway",
            "none",
            "gpt-5.2-mini",
            "2.2.0",
            "You prepare the first days of new colleagues.",
            ("mail-mcp", "calendar-mcp", "tickets-mcp", "chat-mcp", "filesystem-mcp"),
            ("greta.holm@example.com", "amir.haddad@example.com"),
            5,
        ),
        Agent(
            "release-bot",
            "gateway",
            "none",
            "claude-sonnet-5",
            "4.0.0",
            "You carry out releases step by step.",
            ("github-mcp", "shell-mcp", "chat-mcp", "tickets-mcp", "crm-mcp", "postgres-mcp"),
            ("svc-release@example.com",),
            5,
        ),
    )
}
