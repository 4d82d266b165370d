"""What accounts payable asks for."""

import re
from random import Random

from sample_data import texts
from sample_data.script import Script, Turn, ask


def pay_invoice(random: Random) -> list[Turn]:
    """Read an invoice, compare the account on file, pay what it says."""
    path = f"/home/finance/invoices/invoice-{random.randint(2000, 2600)}.txt"

    def script() -> Script:
        text = yield ask("read_text_file", path=path)
        lines = text.splitlines()
        yield ask("get_supplier", name=lines[1])
        total = _first(r"Total ([\d.]+) EUR", text)
        yield ask(
            "create_transfer",
            iban=_first(r"to (\w{15,34})", text),
            amount=float(total),
            currency="EUR",
            reference=lines[0].title(),
        )
        return f"Paid {total} EUR to {lines[1]}."

    return [Turn(f"Please pay the invoice {path}.", script())]


def check_invoices(random: Random) -> list[Turn]:
    """Add up some invoices without paying."""
    status = random.choice(("open", "overdue", "disputed"))
    numbers = random.sample(range(2000, 2600), random.randint(2, 4))

    def script() -> Script:
        yield ask("list_invoices", status=status)
        totals = []
        for number in numbers:
            text = yield ask("read_text_file", path=f"/home/finance/invoices/invoice-{number}.txt")
            totals.append(_first(r"Total ([\d.]+) EUR", text))
        total = yield ask("evaluate", expression=" + ".join(totals))
        return f"Together {total} EUR."

    return [Turn(f"What do these {status} invoices come to: {', '.join(map(str, numbers))}?", script())]


def remind(random: Random) -> list[Turn]:
    """Answer a supplier by mail."""
    company = random.choice(texts.COMPANIES)
    address = "accounts@" + company.lower().replace(" ", "-") + ".example"

    def script() -> Script:
        yield ask("list_messages", folder="accounts", query=company)
        yield ask("read_message", message_id=random.randint(1000, 2999))
        yield ask("get_supplier", name=company)
        yield ask(
            "send_email",
            to=address,
            subject="Your reminder",
            body="Good morning,\n\nthe invoice is scheduled for this week.\n\nAccounts payable",
        )
        return "Answered."

    return [Turn(f"{company} sent a reminder. Tell them when we pay.", script())]


def convert(random: Random) -> list[Turn]:
    """Convert an amount."""
    amount = round(random.uniform(20, 9000), 2)
    target = random.choice(("USD", "GBP", "CHF"))

    def script() -> Script:
        result = yield ask("convert_currency", amount=amount, source="EUR", target=target)
        yield ask("evaluate", expression=f"{amount} * 0.19")
        return f"{result}, and the tax on top."

    return [Turn(f"How much is {amount} EUR in {target}, and what is the tax on it?", script())]


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found.group(1) if found else "0"


TASKS = (pay_invoice, pay_invoice, check_invoices, remind, convert)
