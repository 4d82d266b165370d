"""What sales asks for."""

from random import Random

from sample_data import texts
from sample_data.script import Script, Turn, ask


def research(random: Random) -> list[Turn]:
    """Search, read a few pages, note it in the CRM."""
    company = random.choice(texts.COMPANIES)
    host = company.lower().replace(" ", "-") + ".example"
    pages = random.sample(("about", "products", "careers", "blog/2026"), random.randint(1, 4))
    account = random.randint(100, 999)

    def script() -> Script:
        yield ask("search_web", query=f"{company} {random.choice(('news', 'revenue', 'management'))}", limit=5)
        for page in pages:
            yield ask("fetch", url=f"https://{host}/{page}")
        yield ask("find_account", name=company)
        yield ask("log_activity", account_id=account, note=texts.paragraphs(random, 1, 2))
        return f"I noted the main points on {company}."

    return [Turn(f"Prepare me for the call with {company}.", script())]


def follow_up(random: Random) -> list[Turn]:
    """Write a follow-up mail."""
    number = random.randint(100, 999)
    company, contact, address = texts.customer(number)

    def script() -> Script:
        yield ask("get_account", account_id=number)
        yield ask("recall", topic=company)
        yield ask(
            "send_email",
            to=address,
            subject="Our conversation",
            body=f"Dear {contact},\n\n{texts.paragraphs(random, 1, 2)}\n\nBest regards",
        )
        yield ask("remember", topic=company, text="Follow-up sent.")
        return "Sent."

    return [Turn(f"Follow up with {contact} of {company}.", script())]


def update(random: Random) -> list[Turn]:
    """Update a few accounts."""
    numbers = random.sample(range(100, 999), random.randint(2, 5))

    def script() -> Script:
        for number in numbers:
            yield ask("update_account", account_id=number, field="stage", value=random.choice(("trial", "customer", "lost")))
        return "Updated."

    return [Turn(f"Set the stages of accounts {', '.join(map(str, numbers))} as we said.", script())]


TASKS = (research, research, follow_up, update)
