"""What people ask their assistant for."""

from random import Random

from sample_data import texts
from sample_data.script import Script, Turn, ask

COLLEAGUES = tuple(f"{name}@example.com" for name in ("greta.holm", "sam.okafor", "mina.park", "tom.becker", "lea.dubois"))


def morning(random: Random) -> list[Turn]:
    """Calendar, mail, weather, the fact of the day."""
    day, city = f"2026-11-{random.randint(2, 15):02d}", random.choice(texts.CITIES)

    def script() -> Script:
        yield ask("list_events", day=day)
        yield ask("list_messages", folder="inbox")
        yield ask("forecast", city=city, days=random.randint(1, 3))
        if random.random() < 0.6:
            yield ask("get_fact_of_the_day", topic=random.choice(("animals", "history", "food")))
        return "A quiet day."

    return [
        Turn(
            random.choice(("Good morning! What is on today?", "My day, please.", f"What does my day look like? I am in {city}.")),
            script(),
        )
    ]


def answer_mail(random: Random) -> list[Turn]:
    """Read a mail and answer a colleague."""
    number, to = random.randint(1000, 2999), random.choice(COLLEAGUES)

    def script() -> Script:
        yield ask("list_messages", folder="inbox", query=random.choice(("", "agenda", "lunch")))
        yield ask("read_message", message_id=number)
        yield ask(
            "send_email",
            to=to,
            subject="Re: " + texts.mail(number)[1],
            body=random.choice(("Sounds good.", "Let us talk on Monday.", "I agree with all of it.")),
        )
        return "Sent."

    return [Turn(f"Answer the mail of {to.split('.')[0].title()} in one line.", script())]


def meeting(random: Random) -> list[Turn]:
    """Find a slot and invite."""
    people = random.sample(COLLEAGUES, random.randint(1, 3))
    day = f"2026-11-{random.randint(3, 20):02d}"

    def script() -> Script:
        yield ask("list_events", day=day)
        yield ask("find_free_slot", day=day, minutes=30, attendees=people)
        yield ask("create_event", title="Catch-up", start=f"{day}T11:00", minutes=30, attendees=people)
        if random.random() < 0.4:
            yield ask("remember", topic="meetings", text=f"Catch-up on {day} with {people[0]}")
        return "Invited."

    return [Turn(f"Set up half an hour with {' and '.join(people)} on {day}.", script())]


def notes(random: Random) -> list[Turn]:
    """Recall, read, write."""
    topic = random.choice(("trips", "birthdays", "reading list", "kitchen"))

    def script() -> Script:
        yield ask("recall", topic=topic)
        yield ask("read_text_file", path=f"/home/me/notes/{topic.replace(' ', '-')}.md")
        yield ask("remember", topic=topic, text=texts.paragraphs(random, 1, 1))
        return "Noted."

    return [Turn(f"What did I want to remember about {topic}? Add today's idea.", script())]


def chats(random: Random) -> list[Turn]:
    """Look at chats and write in the team's channel."""

    def script() -> Script:
        yield ask("list_chats")
        yield ask("read_channel", channel="#team", limit=random.randint(5, 10))
        yield ask(
            "post_message",
            channel="#team",
            text=random.choice(("I am in at ten.", "Thanks, will do!", "See you tomorrow.")),
        )
        return "Posted."

    return [Turn("Anything new in the chats? Tell the team that I am on my way.", script())]


TASKS = (morning, morning, answer_mail, answer_mail, meeting, notes, chats)
