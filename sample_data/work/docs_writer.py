"""What writers ask for."""

from random import Random

from sample_data import texts
from sample_data.script import Script, Turn, ask

_PAGES = ("docs/quickstart.md", "docs/limits.md", "docs/keys.md", "docs/reports.md", "README.md")


def update_page(random: Random) -> list[Turn]:
    """Read pages and related material, open a pull request."""
    paths = random.sample(_PAGES, random.randint(1, 3))
    host = random.choice(texts.COMPANIES).lower().replace(" ", "-") + ".example"

    def script() -> Script:
        for path in paths:
            yield ask("get_file_contents", repo="example-org/widget-docs", path=path)
        yield ask("fetch", url=f"https://{host}/docs/{random.choice(('limits', 'keys', 'reports'))}")
        body = texts.paragraphs(random, 1, 3)
        yield ask(
            "create_pull_request",
            repo="example-org/widget-docs",
            title=f"Update {paths[0]}",
            body=body,
            head=f"update-{random.randint(1, 99)}",
        )
        return "The pull request is open."

    return [Turn(f"Bring {paths[0]} up to date.", script())]


def check_links(random: Random) -> list[Turn]:
    """Fetch the pages that a document links to."""
    hosts = [company.lower().replace(" ", "-") for company in random.sample(texts.COMPANIES, random.randint(3, 7))]

    def script() -> Script:
        yield ask("get_file_contents", repo="example-org/widget-docs", path=random.choice(_PAGES))
        for host in hosts:
            yield ask("fetch", url=f"https://{host}.example/{random.choice(('about', 'docs', 'news'))}")
        return "All links work."

    return [Turn("Check the links of one of our pages, please.", script())]


def glossary(random: Random) -> list[Turn]:
    """Write a local file from issues."""
    numbers = random.sample(range(400, 480), random.randint(1, 3))

    def script() -> Script:
        for number in numbers:
            yield ask("get_issue", repo="example-org/widget-docs", number=number)
        yield ask(
            "write_text_file",
            path=f"/home/docs/glossary-{random.randint(1, 9)}.md",
            content=texts.paragraphs(random, 2, 4),
        )
        return "The glossary has new entries."

    return [Turn(f"Add what we learned in issue {numbers[0]} to the glossary.", script())]


TASKS = (update_page, update_page, check_links, glossary)
