"""What people ask the data analyst for."""

from random import Random

from sample_data import texts
from sample_data.script import Script, Turn, ask


def revenue(random: Random) -> list[Turn]:
    """Revenue by product, with a comparison."""
    product, month = random.choice(texts.PRODUCTS), random.randint(2, 10)

    def script() -> Script:
        if random.random() < 0.4:
            yield ask("list_tables")
        yield ask("query", sql=f"select product, sum(amount) from orders where month = {month} group by product")
        yield ask("query", sql=f"select sum(amount) from orders where product = '{product}' and month = {month - 1}")
        yield ask(
            "evaluate",
            expression=f"({random.randint(900, 1400)} - {random.randint(700, 900)}) / {random.randint(700, 900)} * 100",
        )
        return f"{product} grew."

    return [Turn(f"How did the revenue of {product} develop in month {month}?", script())]


def customers(random: Random) -> list[Turn]:
    """Rows of customers, written to a file."""
    least = random.randint(10, 200)

    def script() -> Script:
        rows = yield ask("query", sql=f"select id, company, contact, email from customers where seats > {least} order by id")
        if rows.startswith("Error"):
            return "The database did not answer."
        yield ask("write_text_file", path=f"/home/data/exports/customers-{least}.csv", content=rows)
        return "Exported."

    return [Turn(f"Export all customers with more than {least} seats to a file.", script())]


def usage(random: Random) -> list[Turn]:
    """Drill down step by step over two turns."""
    steps = random.randint(2, 5)

    def first() -> Script:
        for step in range(steps):
            yield ask(
                "query",
                sql=f"select day, sum(events) from usage_daily where week = {random.randint(30, 45)} and step = {step} group by day",
            )
        return "There is a dip on Wednesday."

    def second() -> Script:
        yield ask("query", sql=f"select avg(events) from usage_daily where weekday = 3 and week > {random.randint(30, 40)}")
        yield ask("read_text_file", path=f"/home/data/notes/usage-{random.randint(1, 20)}.md")
        return "It is the maintenance window."

    turns = [Turn("Is there anything odd in the usage of the last weeks?", first())]
    return [*turns, Turn("Why Wednesday?", second())] if random.random() < 0.6 else turns


def small_sum(random: Random) -> list[Turn]:
    """A calculation."""
    expression = f"{random.randint(100, 999)} * {random.randint(2, 40)} / {random.randint(3, 9)}"

    def script() -> Script:
        return (yield ask("evaluate", expression=expression))

    return [Turn(f"What is {expression}?", script())]


TASKS = (revenue, revenue, customers, usage, usage, small_sum)
