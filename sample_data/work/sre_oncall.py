"""What engineers on call ask for."""

from random import Random

from sample_data import texts
from sample_data.script import Script, Turn, ask

_COMMANDS = (
    "df -h /",
    "tail -n 50 /var/log/{service}/app.log",
    "grep -c timeout /var/log/{service}/app.log",
    "journalctl -u {service} --since '1 hour ago' | tail -n 20",
    "kubectl get pods -l app={service}",
    "git log --oneline -5 deploy/{service}",
)


def look_into_alert(random: Random) -> list[Turn]:
    """Alerts, metrics, a few commands, a word to the team."""
    service = random.choice(texts.SERVICES)
    metrics = random.sample(("latency_p95_ms", "error_rate", "cpu_percent", "queue_depth"), random.randint(1, 3))
    commands = random.sample(_COMMANDS, random.randint(1, 4))

    def script() -> Script:
        yield ask("list_alerts", severity=random.choice(("all", "page")))
        for metric in metrics:
            yield ask("get_metrics", service=service, metric=metric, minutes=random.choice((30, 60)))
        for command in commands:
            yield ask("run_command", command=command.format(service=service))
        yield ask("post_message", channel="#on-call", text=f"{service}: latency is falling again, watching.")
        return "It recovers by itself."

    return [
        Turn(
            random.choice(("{} is slow, why?", "What is going on with {}?", "There is an alert for {}.")).format(service),
            script(),
        )
    ]


def restart(random: Random) -> list[Turn]:
    """Restart a service when asked, and look whether it helped."""
    service = random.choice(texts.SERVICES)

    def script() -> Script:
        yield ask("get_metrics", service=service, metric="error_rate", minutes=30)
        yield ask("restart_service", service=service)
        yield ask("get_metrics", service=service, metric="error_rate", minutes=30, wait_s=45)
        yield ask("post_message", channel="#on-call", text=f"Restarted {service}.")
        return "Restarted, errors are gone."

    return [Turn(f"Restart {service}, please.", script())]


def disk(random: Random) -> list[Turn]:
    """Look at disks."""
    hosts = random.sample(range(1, 30), random.randint(2, 5))

    def script() -> Script:
        for host in hosts:
            yield ask("run_command", command=f"df -h / # host web-{host:02d}")
        return "All below 80 percent."

    return [Turn(f"How full are the disks of web-{hosts[0]:02d} and its neighbours?", script())]


def handover(random: Random) -> list[Turn]:
    """Write the handover."""

    def script() -> Script:
        yield ask("read_channel", channel="#on-call", limit=random.randint(5, 20))
        yield ask("list_alerts", severity="all")
        yield ask("post_message", channel="#on-call", text=f"Handover: {texts.paragraphs(random, 1, 2)}")
        return "Posted."

    return [Turn("Write the handover for the next shift.", script())]


TASKS = (look_into_alert, look_into_alert, look_into_alert, restart, disk, handover)
