"""What developers ask the code reviewer for."""

from random import Random

from sample_data import texts
from sample_data.script import Script, Turn, ask

_PATHS = ("src/client.py", "src/retry.py", "docs/quickstart.md", "tests/test_retry.py", "CHANGELOG.md")


def review(random: Random) -> list[Turn]:
    """Read a pull request and the files around it, then comment."""
    repo, number = random.choice(texts.REPOSITORIES), random.randint(300, 480)
    paths = random.sample(_PATHS, random.randint(1, 4))

    def script() -> Script:
        yield ask("get_pull_request", repo=repo, number=number)
        for path in paths:
            yield ask("get_file_contents", repo=repo, path=path)
        remark = random.choice(("The backoff has no upper bound.", "Please add a test for the timeout.", "Looks good to me."))
        yield ask("add_issue_comment", repo=repo, number=number, body=remark)
        return remark

    return [Turn(f"Review pull request {number} of {repo}.", script())]


def triage_issues(random: Random) -> list[Turn]:
    """Read open issues and answer some."""
    repo = random.choice(texts.REPOSITORIES[1:])
    numbers = random.sample(range(400, 480), random.randint(2, 4))

    def script() -> Script:
        yield ask("list_issues", repo=repo, state="open")
        for number in numbers:
            yield ask("get_issue", repo=repo, number=number)
        yield ask(
            "add_issue_comment",
            repo=repo,
            number=numbers[0],
            body="Thank you, I can reproduce this on the main branch.",
        )
        return "Two of them are duplicates."

    return [Turn(f"Go through the open issues of {repo} and answer what is easy.", script())]


def private_change(random: Random) -> list[Turn]:
    """Work inside one private repository."""
    repo = random.choice(texts.PRIVATE_REPOSITORIES)
    path = random.choice(("deploy/values.yml", "src/main.py", "docs/runbook.md"))

    def script() -> Script:
        content = yield ask("get_file_contents", repo=repo, path=path)
        yield ask(
            "create_pull_request",
            repo=repo,
            title=f"Tidy {path}",
            body=f"Only white space:\n\n{content[:200]}",
            head="tidy",
        )
        return "The pull request is open."

    return [Turn(f"Tidy up {path} in {repo} and open a pull request there.", script())]


def local_notes(random: Random) -> list[Turn]:
    """Compare a local note with the repository."""
    repo, path = random.choice(texts.REPOSITORIES), random.choice(_PATHS)

    def script() -> Script:
        yield ask("read_text_file", path=f"/home/dev/notes/review-{random.randint(1, 40)}.md")
        yield ask("get_file_contents", repo=repo, path=path)
        yield ask(
            "write_text_file",
            path=f"/home/dev/notes/summary-{random.randint(1, 40)}.md",
            content=texts.paragraphs(random, 1, 3),
        )
        return "I wrote a summary beside your notes."

    return [Turn(f"Check my review notes against {path} in {repo} and write me a summary.", script())]


TASKS = (review, review, review, triage_issues, private_change, local_notes)
