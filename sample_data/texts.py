"""Ordinary texts: people, companies, mails, tickets, documents; the same for the same number."""

from random import Random

from sample_data.script import seeded

FIRST = ("Anna", "Bilal", "Chiara", "Deepak", "Elena", "Farid", "Gwen", "Hugo", "Irina", "Jonas", "Keiko", "Liam")
LAST = (
    "Albrecht",
    "Bakker",
    "Costa",
    "Dahl",
    "Eriksen",
    "Farouk",
    "Garcia",
    "Hansen",
    "Ivanova",
    "Jensen",
    "Kim",
    "Lopez",
)
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
_SUBJECTS_OF_SENTENCES = (
    "The client", "Every workspace", "The nightly report", "A failed upload", "The gateway", "An archived project",
    "The second region", "The importer", "Our largest customer", "The billing page", "A new member", "The mobile app",
    "The steering group", "The older API", "A rotated key", "The search index", "The partner team", "The edge cache",
    "The audit log", "A guest account", "The export queue", "The translation", "The sales deck", "The staging host",
)  # fmt: skip
_VERBS = (
    "keeps", "drops", "retries", "renames", "checks", "needs", "loses", "lists", "counts", "closes", "moves", "hides",
    "rebuilds", "ignores", "merges", "accepts", "replaces", "delays", "signs", "splits", "confirms", "copies",
)  # fmt: skip
_OBJECTS = (
    "{n} open connections", "its oldest snapshot", "the quarterly forecast", "a draft of chapter {n}", "both time zones",
    "the first {n} rows", "every shared folder", "the mailing list", "a quota of {n} requests", "the signed contract",
    "empty columns", "the travel budget", "{n} duplicate entries", "the welcome text", "an unused licence",
    "the retention rule", "three of {n} suppliers", "the meeting minutes", "the price list of {n}", "stale previews",
    "the on-call calendar", "a backup from week {n}",
)  # fmt: skip
_TAILS = (
    "before the office opens", "when nobody has signed in for {n} days", "unless an owner objects", "after midnight UTC",
    "as agreed in October", "so that nothing is shown twice", "for at most {n} seconds", "on the Business plan only",
    "until the fix of ticket {n} is out", "with a pause that doubles each time", "in every second region",
    "because the vendor changed its terms", "and tells the administrators", "within {n} minutes", "as far as we know",
    "if the flag is set", "at the end of the quarter", "which surprised the testers", "without asking again",
)  # fmt: skip


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
    return (
        f"{product}: {title}",
        f"Hello,\n\n{text}\nWe use {product} on the {random.choice(('Team', 'Business'))} plan.\n\n{name}, {company}",
    )


def mail(number: int) -> tuple[str, str, str]:
    """Sender, subject and text of a mail."""
    random = seeded("mail", number)
    subject, text = random.choice(_SUBJECTS)
    name = person(random)
    text += "\n" + " ".join(sentence(random) for _ in range(random.randint(0, 3)))
    return address(name), subject, f"Hi,\n\n{text}\n\nBest\n{name.split()[0]}"


def sentence(random: Random) -> str:
    """A sentence of office prose; varied enough that two texts hardly ever share one by chance."""
    words = (
        random.choice(_SUBJECTS_OF_SENTENCES),
        random.choice(_VERBS),
        random.choice(_OBJECTS),
        random.choice(_TAILS),
    )
    return " ".join(words).replace("{n}", str(random.randint(2, 900))) + "."


def paragraphs(random: Random, least: int = 2, most: int = 6) -> str:
    """Some paragraphs of prose."""
    return "\n\n".join(" ".join(sentence(random) for _ in range(random.randint(1, 4))) for _ in range(random.randint(least, most)))


def document(random: Random) -> str:
    """Prose of a length that is mostly short and sometimes long."""
    count = min(40, round(random.lognormvariate(1.3, 0.8)) + 1)
    return paragraphs(random, count, count)


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
