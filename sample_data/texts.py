"""Ordinary texts: people, companies, mails, tickets, documents; the same for the same number."""

from random import Random

from sample_data.script import seeded

FIRST = ("Anna", "Bilal", "Chiara", "Deepak", "Elena", "Farid", "Gwen", "Hugo", "Irina", "Jonas", "Keiko", "Liam")
LAST = ("Albrecht", "Bakker", "Costa", "Dahl", "Eriksen", "Farouk", "Garcia", "Hansen", "Ivanova", "Jensen", "Kim", "Lopez")
COMPANIES = (
    "Northwind Supplies", "Blue Heron Logistics", "Acorn Dental", "Lakeside Printing", "Solstice Energy",
    "Pinewood Furniture", "Harbor Freight Co-op", "Meridian Labs", "Copperfield Foods", "Aurora Textiles",
    "Summit Cycles", "Greenfield Farms",
)  # fmt: skip
PRODUCTS = ("Widget Sync", "Widget Reports", "Widget Mobile", "Widget Gateway", "Widget Studio")
CITIES = ("Lisbon", "Hamburg", "Oslo", "Milan", "Dublin", "Krakow", "Lyon", "Utrecht")
SERVICES = ("checkout", "search", "billing", "notifications", "auth-gateway", "exports")
REPOSITORIES = ("example-org/widget-sdk", "example-org/widget-docs", "example-org/widget-cli")
PRIVATE_REPOSITORIES = ("example-org/payroll-service", "example-org/infra-live")

_TROUBLES = (
    ("cannot log in after the password change", "The page says the session has expired, in two browsers."),
    ("export to CSV stops at 10,000 rows", "We need all 23,418 rows for the audit at the end of the month."),
    ("charged twice this month", "Two charges of the same amount appear on our card statement."),
    ("mobile app shows yesterday's numbers", "Pulling down to refresh does not help. Web is fine."),
    ("webhook deliveries are late", "They used to arrive within seconds, now it takes ten minutes."),
    ("please change our billing address", "We moved at the start of the month; the VAT number stays the same."),
    ("dark mode hides the date picker", "White on white. A screenshot is attached."),
    ("how do I add a second administrator?", "Our colleague is leaving and somebody must take over."),
    ("the weekly report lists closed projects", "Archived projects should be left out, as they were before."),
    ("API answers 429 although we send little", "About 40 requests a minute, according to our own logs."),
)
_SUBJECTS = (
    ("Agenda for Thursday", "Could we move the roadmap to the top? I have to leave at four.\nSlides follow tonight."),
    ("Travel to the customer", "I booked the 7:40 train. The return is flexible. Please send me the meeting room."),
    ("Draft contract, second round", "Their lawyer accepts clause 4 but asks for 60 days in clause 9. Is that fine?"),
    ("Lunch next week?", "The new place by the river is open. Wednesday suits me best."),
    ("Numbers for the board", "Revenue is up 4.2 percent, churn is flat. Please check the footnote on page 3."),
    ("Kitchen renovation", "The plumber comes on Tuesday between 8 and 10. Somebody has to be at home."),
    ("Feedback on the workshop", "The morning was excellent. After lunch we lost the thread a little."),
    ("Notes from the interview", "Strong on testing, a little less so on databases. I would invite her again."),
    ("Office plants", "They need water twice a week while I am away. The big one only once. Thank you!"),
    ("Invoice question", "Your last invoice has the old purchase order number. Could you send it again?"),
)
_PARAGRAPHS = (
    "The client retries a failed upload three times, with a pause that doubles each time.",
    "Every workspace has one owner and any number of members; only the owner can delete it.",
    "Dates are written in ISO 8601 and are always in UTC unless a zone is given.",
    "A report is built once a night. Changes made after midnight show up the next day.",
    "The gateway keeps a request open for at most ninety seconds.",
    "Old versions stay readable for a year; writing needs the current version.",
    "To rotate a key, create the second one first, switch the clients, then delete the first.",
    "Pages are cached at the edge for five minutes, so a correction is not seen at once.",
    "The importer reads semicolons as well as commas and guesses the encoding.",
    "Limits are counted per workspace, not per user.",
)


def person(random: Random) -> str:
    """A full name."""
    return f"{random.choice(FIRST)} {random.choice(LAST)}"


def address(name: str, domain: str = "example.com") -> str:
    """The mail address of a person."""
    return name.lower().replace(" ", ".") + "@" + domain


def customer(number: int) -> tuple[str, str, str]:
    """Company, contact and mail address of a customer."""
    random = seeded("customer", number)
    company = random.choice(COMPANIES)
    name = person(random)
    return company, name, address(name, company.lower().replace(" ", "-") + ".example")


def ticket(number: int) -> tuple[str, str]:
    """Title and text of a support ticket."""
    random = seeded("ticket", number)
    title, text = random.choice(_TROUBLES)
    company, name, _ = customer(number)
    product = random.choice(PRODUCTS)
    return f"{product}: {title}", f"Hello,\n\n{text}\nWe use {product} on the {random.choice(('Team', 'Business'))} plan.\n\n{name}, {company}"


def mail(number: int) -> tuple[str, str, str]:
    """Sender, subject and text of a mail."""
    random = seeded("mail", number)
    subject, text = random.choice(_SUBJECTS)
    name = person(random)
    return address(name), subject, f"Hi,\n\n{text}\n\nBest\n{name.split()[0]}"


def paragraphs(random: Random, least: int = 2, most: int = 6) -> str:
    """Some paragraphs of product documentation."""
    return "\n\n".join(random.sample(_PARAGRAPHS, random.randint(least, most)))


def table(random: Random, header: str, rows: int, *columns: object) -> str:
    """Comma separated rows; a column is a list to choose from, or a pair of numbers to draw between."""
    lines = [header]
    for _ in range(rows):
        cells = []
        for column in columns:
            match column:
                case (int(low), int(high)):
                    cells.append(str(random.randint(low, high)))
                case (float(low), float(high)):
                    cells.append(f"{random.uniform(low, high):.2f}")
                case list() | tuple():
                    cells.append(str(random.choice(list(column))))
        lines.append(",".join(cells))
    return "\n".join(lines)
