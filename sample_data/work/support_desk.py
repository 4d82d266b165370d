"""What the support desk asks for."""

from random import Random

from sample_data import texts
from sample_data.script import Script, Turn, ask


def answer_ticket(random: Random) -> list[Turn]:
    """Read a ticket, look the customer up, answer."""
    number = random.randint(6000, 7499)
    customer = number % 900 + 100
    deep = random.random() < 0.5

    def script() -> Script:
        yield ask("get_ticket", ticket_id=number)
        yield ask("get_account", account_id=customer)
        if deep:
            yield ask(
                "query",
                sql=f"select id, product, month, amount from orders where customer_id = {customer} order by month desc",
            )
        text = random.choice(_ANSWERS).format(name=texts.customer(customer)[1].split()[0])
        yield ask("reply_to_ticket", ticket_id=number, text=text)
        return f"I answered ticket {number}."

    prompt = random.choice(("Please answer ticket {}.", "Can you take care of ticket {}?", "Ticket {}: find out what is wrong and reply."))
    return [Turn(prompt.format(number), script())]


def triage(random: Random) -> list[Turn]:
    """Go through the open tickets, then act on one of them in a second turn."""
    status, limit = random.choice(("open", "new", "waiting")), random.randint(3, 7)
    numbers = [random.randint(6000, 7499) for _ in range(random.randint(2, 4))]

    def look() -> Script:
        yield ask("list_tickets", status=status, limit=limit)
        for number in numbers:
            yield ask("get_ticket", ticket_id=number)
        return "The oldest one is the most urgent: " + ", ".join(map(str, numbers))

    def act() -> Script:
        yield ask("create_ticket", title=f"Follow-up of {numbers[0]}", text=texts.ticket(numbers[0])[1], queue="engineering")
        yield ask("log_activity", account_id=numbers[0] % 900 + 100, note="Handed over to engineering.")
        return "Done."

    turns = [Turn(f"Which of the {status} tickets is the most urgent?", look())]
    return [*turns, Turn("Hand that one to engineering, please.", act())] if random.random() < 0.5 else turns


def mail_customer(random: Random) -> list[Turn]:
    """Write to a customer about an account matter."""
    customer = random.randint(100, 999)
    company, contact, address = texts.customer(customer)

    def script() -> Script:
        yield ask("find_account", name=company)
        yield ask("get_account", account_id=customer)
        body = f"Dear {contact},\n\n{texts.paragraphs(random, 1, 2)}\n\nKind regards\nSupport"
        yield ask(
            "send_email",
            to=address,
            subject=random.choice(("Your question", "Your account", "News on your request")),
            body=body,
        )
        yield ask("log_activity", account_id=customer, note="Mail sent.")
        return f"I wrote to {contact}."

    return [
        Turn(
            f"Write to {contact} of {company} about {random.choice(('the renewal', 'the new limits', 'the outage on Monday'))}.",
            script(),
        )
    ]


def weekly_numbers(random: Random) -> list[Turn]:
    """Count tickets and messages."""
    month = random.randint(9, 11)

    def script() -> Script:
        yield ask("query", sql=f"select product, count(*) from tickets where month = {month} group by product")
        yield ask("query", sql=f"select count(*) from support_messages where month = {month} and author = 'customer'")
        return "Most tickets are about Widget Sync."

    return [Turn("How many tickets did we get per product this month?", script())]


_ANSWERS = (
    "Hello {name},\n\nthank you for the details. The fix goes out with tonight's release; please try again tomorrow.",
    "Hello {name},\n\nI have corrected the setting for you. Does it work now?",
    "Hello {name},\n\nthe second charge was a reservation and has been released. Your bank shows it for up to five days.",
)
TASKS = (answer_ticket, answer_ticket, answer_ticket, triage, mail_customer, weekly_numbers)
