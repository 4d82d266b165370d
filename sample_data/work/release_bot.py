"""What the release pipeline asks for."""

from random import Random

from sample_data import texts
from sample_data.script import Script, Turn, ask


def release(random: Random) -> list[Turn]:
    """Test, collect changes, publish, announce."""
    repo = random.choice(texts.REPOSITORIES)
    tag = f"v{random.randint(1, 4)}.{random.randint(0, 30)}.{random.randint(0, 9)}"

    def script() -> Script:
        yield ask("run_command", command="make test", timeout_s=600)
        changes = yield ask("run_command", command=f"git log --oneline -5 {tag}")
        yield ask("create_release", repo=repo, tag=tag, notes=changes)
        yield ask("post_message", channel="#releases", text=f"{repo} {tag} is out.")
        yield ask("create_ticket", title=f"Announce {tag}", text=f"{repo} {tag} is published.", queue="marketing")
        return f"Released {tag}."

    return [Turn(f"Release {repo} {tag}.", script())]


def check_open(random: Random) -> list[Turn]:
    """Is anything in the way of a release?"""
    repo = random.choice(texts.REPOSITORIES[1:])

    def script() -> Script:
        yield ask("list_issues", repo=repo, state="open")
        for number in random.sample(range(300, 480), random.randint(1, 4)):
            yield ask("get_pull_request", repo=repo, number=number)
        return "Nothing blocks the release."

    return [Turn(f"Does anything block the next release of {repo}?", script())]


def tests(random: Random) -> list[Turn]:
    """Run tests of some folders."""

    def script() -> Script:
        for folder in random.sample(("unit", "integration", "smoke"), random.randint(1, 3)):
            yield ask("run_command", command=f"pytest -q tests/{folder}", timeout_s=300)
        return "Green."

    return [Turn("Run the tests, please.", script())]


TASKS = (release, check_open, tests)
