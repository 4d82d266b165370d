"""What human resources ask for."""

from random import Random

from sample_data import texts
from sample_data.script import Script, Turn, ask


def first_day(random: Random) -> list[Turn]:
    """Tickets, invitations and a welcome mail for a new colleague."""
    name = texts.person(random)
    day = f"2026-12-{random.randint(1, 15):02d}"

    def script() -> Script:
        for thing in random.sample(("Laptop", "Badge", "Accounts", "Desk"), random.randint(1, 3)):
            yield ask("create_ticket", title=f"{thing} for {name}", text=f"Needed on {day}.", queue="it")
        yield ask("create_event", title=f"Welcome {name}", start=f"{day}T09:00", minutes=60, attendees=[texts.address(name)])
        yield ask("read_text_file", path="/home/hr/templates/welcome.md")
        yield ask(
            "send_email",
            to=texts.address(name),
            subject="Welcome!",
            body=f"Dear {name.split()[0]},\n\n{texts.paragraphs(random, 1, 2)}",
        )
        return f"Everything is prepared for {name}."

    return [Turn(f"{name} starts on {day}. Please prepare everything.", script())]


def announce(random: Random) -> list[Turn]:
    """Announce somebody in the chat."""
    name = texts.person(random)

    def script() -> Script:
        yield ask("read_text_file", path=f"/home/hr/people/{name.lower().replace(' ', '-')}.md")
        yield ask("post_message", channel="#welcome", text=f"Please welcome {name}!")
        return "Posted."

    return [Turn(f"Announce {name} in the chat.", script())]


def feedback(random: Random) -> list[Turn]:
    """Look for a slot for a feedback talk."""
    name, day = texts.person(random), f"2026-11-{random.randint(3, 27):02d}"

    def script() -> Script:
        yield ask("list_events", day=day)
        yield ask("find_free_slot", day=day, minutes=45, attendees=[texts.address(name)])
        yield ask("create_event", title="Feedback", start=f"{day}T14:00", minutes=45, attendees=[texts.address(name)])
        return "Invited."

    return [Turn(f"Arrange the feedback talk with {name}.", script())]


TASKS = (first_day, announce, feedback)
