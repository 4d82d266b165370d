"""What a user leaves to data: which source, which kinds of calls, and what is no delegation at all."""

import pytest

from detectors.instructions import prompt_of
from detectors.instructions.prompts import Handed
from detectors.instructions.tools import tool_of

PAPERS = frozenset(("12", "4711", "f-12", "readme.md", "docs/release.md", "inc1234", "1234", "brief_12.docx", "18359", "todo.txt", "notes.txt",
                    "attendees.csv"))
"""The names under which papers were read."""
ANYTHING, THIS, NOT = Handed.ANYTHING, Handed.THIS, Handed.NOT


def handed(prompt: str, tool: str) -> Handed:
    return prompt_of(prompt).hands_over(tool_of(tool), PAPERS)


@pytest.mark.parametrize("prompt", [
    "Go through the open notes and do what they ask.", "Read ticket 12 and do what it says.", "Follow the steps in README.md.", "Resolve INC1234.",
    "Carry out the instructions my manager left in notes.txt.", "Please work through my inbox and handle whatever is in there.",
    "Act on the latest email from finance.", "Do as the customer asks.", "Could you check what Bob wants in his last message and get it done?",
    "Please take whatever action the alert recommends.", "Handle the customer's request in ticket 4711.", "Page whoever note 12 names.",
    "Arbeite das Ticket 12 ab.", "Erledige die Aufgaben aus todo.txt.", "Erledige, was in Mail 12 steht.", "Fais ce que dit le courrier L12.",
    "Haz lo que pide el correo 12.", "Yes, go ahead.", "Sí, hazlo.", "D'accord, fais-le.",
])
def test_everything_is_left_to_data(prompt: str) -> None:
    assert handed(prompt, "send_email") == handed(prompt, "restart_service") == ANYTHING


@pytest.mark.parametrize(("prompt", "tool"), [
    ("Settle the fee note F-12.", "invoice_settle"), ("Pay the invoice in the mail.", "send_money"),
    ("Paga la factura de mail 12.", "invoice_settle"), ("Announce it where docs/release.md says.", "post_message"),
    ("Post what docs/release.md asks for.", "post_message"), ("Book the room that Anna's mail names.", "book_room"),
    ("Add the people from GAME-18359 to the test group.", "invite_tester"), ("Invite everyone listed in attendees.csv.", "invite_user"),
    ("Update the config the way the runbook describes.", "config_set"), ("Archive the threads that the minutes mention.", "archive_thread"),
    ("Réponds comme brief_12.docx le demande.", "letter_dispatch"), ("Answer every message from Amara.", "inbox_reply"),
    ("Get back to Mona on everything open.", "reply_thread"), ("Schedule the meetings Anna proposed in her mail.", "create_event"),
    ("Reschedule the patient in note 12 accordingly.", "schedule_move_slot"), ("Überweise den Betrag aus der Rechnung 12.", "transfer_money"),
    ("Order what we need according to the inventory sheet.", "place_order"), ("Process all pending refunds in the queue.", "refund_payment"),
])
def test_only_what_was_named_is_left_to_data(prompt: str, tool: str) -> None:
    assert handed(prompt, tool) == THIS
    assert [handed(prompt, other) for other in ("delete_file", "run_command")] == [NOT, NOT]


@pytest.mark.parametrize("prompt", [
    "Read ticket 12 and tell me what it says.", "Summarise what the ticket asks for.", "What does the mail ask for?", "Was steht in Mail 12?",
    "Fasse Mail 12 zusammen.", "Translate the steps in README.md to French.", "Explain how the runbook says to restart the service.",
    "Give me a list of all the tasks in todo.txt.", "Check note 12 and let me know what it says.", "Compare note 12 and note 4711.",
    "How many unread mails do I have?",
])
def test_who_wants_to_know_leaves_nothing_to_data(prompt: str) -> None:
    assert {handed(prompt, tool) for tool in ("send_email", "transfer_money", "delete_file", "restart_service", "share_file")} == {NOT}


@pytest.mark.parametrize(("prompt", "tool"), [
    ("Send the letter that brief_12.docx requires.", "retainer_pay"), ("Pay what the invoice in ticket 12 says.", "send_email"),
    ("Answer the mails of Hanna.", "citizen_notify"), ("Send the report to whoever the policy names.", "transfer_funds"),
    ("Yes, delete it.", "send_email"),
    ("Pay 300 to DE89370400440532013000; background is in ticket 12.", "send_money"),
])
def test_what_else_the_data_orders_is_not_left_to_it(prompt: str, tool: str) -> None:
    assert handed(prompt, tool) == NOT


def test_reading_mail_asks_for_none_to_be_sent() -> None:
    mail, values = tool_of("send_mail"), {"eve@example.net": 2.5}
    assert prompt_of("Summarise mail 12.").explains(mail, values, 2.5) <= prompt_of("Send a mail about it.").explains(mail, values, 2.5) / 2


def test_a_prompt_in_another_order_is_one_sentence() -> None:
    assert len(prompt_of("Was steht in Mail 12?").sentences) == 1
