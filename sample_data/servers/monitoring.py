"""A monitoring server: alerts, metrics, jobs."""

import json

from mcp.server.mcpserver import MCPServer

from sample_data import texts
from sample_data.script import seeded
from sample_data.servers import callers

# A job advances by this share of its work each time it is looked at, except one that hangs.
_STEP = 13
STUCK_JOB = "reindex-4471"


def build(name: str, version: str) -> MCPServer:
    """The server."""
    server = MCPServer(name, version=version)
    looked: dict[str, int] = {}

    @server.tool()
    def list_alerts(severity: str = "all") -> str:
        """List the alerts that are firing."""
        callers.check("monitoring")
        random = seeded("alerts", severity)
        rows = [
            {"service": service, "alert": random.choice(("high latency", "error rate", "disk 85%"))} for service in random.sample(texts.SERVICES, 2)
        ]
        return json.dumps(rows)

    @server.tool()
    def get_metrics(service: str, metric: str, minutes: int = 60) -> str:
        """Get the values of a metric of a service, one row per five minutes."""
        callers.check(f"monitoring:{service}")
        random = seeded("metric", service, metric, minutes)
        level = random.uniform(20, 400)
        rows = [f"-{minute},{level * random.uniform(0.8, 1.3):.1f}" for minute in range(minutes, 0, -5)]
        return "\n".join(["minute," + metric, *rows])

    @server.tool()
    def get_job(job_id: str) -> str:
        """Get the state and progress of a background job."""
        callers.check("monitoring")
        looked[job_id] = looked.get(job_id, 0) + 1
        done = 40 if job_id == STUCK_JOB else min(100, looked[job_id] * _STEP)
        return json.dumps({"job": job_id, "state": "done" if done == 100 else "running", "percent": done})

    @server.tool()
    def restart_service(service: str) -> str:
        """Restart a service, one instance after the other."""
        callers.check(f"monitoring:{service}")
        return json.dumps({"service": service, "restarted": seeded("instances", service).randint(2, 6)})

    return server
