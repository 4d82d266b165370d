"""Hidden characters are seen, markup is text, quotations are found where they stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.payloads import carried_parts, difference, facts, formatted, parts_in, quoted_parts
from dashboards.visible import hidden_count, marked, plain, short, visible

SMUGGLED = "".join(chr(0xFE00 + b) if b < 16 else chr(0xE0100 + b - 16) for b in b"leak it")


@pytest.mark.parametrize(("text", "seen"), [
    ("a\u202eb", "RLO"), ("a\u200bb", "ZWSP"), ("\ufeffx", "BOM"), ("a\x1b[31m", "ESC"), ("a\x00", "NUL"), ("a\x9bb", "U+009B"), ("\ud800", "U+D800"),
    ("x" + "".join(chr(0xE0000 + ord(c)) for c in "obey"), "tags: obey"), (f"x{SMUGGLED}", "selectors: leak it"), ("a\u3164b", "U+3164"),
    ("a\r\nb", "CR"), ("\ue000", "U+E000"), ("a\u2028b", "LSEP"),
])
def test_what_hides_is_shown(text: str, seen: str) -> None:
    assert seen in visible(text) and hidden_count(text) > 0


@pytest.mark.parametrize("text", ["plain\n\ttext", "Grüße, 日本語, עברית", "❤️ 👩‍💻 ✔️", "a b"])
def test_ordinary_writing_is_left_alone(text: str) -> None:
    assert visible(text) == text and hidden_count(text) == 0


def test_markup_is_text() -> None:
    assert visible("<b a='x'>&") == "&lt;b a=&#39;x&#39;&gt;&amp;"
    assert marked("<i>x</i>", ["<i>"]) == "<mark>&lt;i&gt;</mark>x&lt;/i&gt;"


@given(st.text(st.characters(codec=None), max_size=60), st.lists(st.text(max_size=4), max_size=4))
def test_nothing_hidden_or_live_is_left(text: str, parts: list[str]) -> None:
    for shown in (str(visible(text)), str(marked(text, parts))):
        bare = shown.replace("<mark>", "").replace("</mark>", "").replace("</span>", "")
        while '<span class="hid" title="' in bare:
            before, _, after = bare.partition('<span class="hid" title="')
            bare = before + after.partition('">')[2]
        assert not set(bare) & set("<>\"'")
        assert hidden_count(bare) == 0
    assert hidden_count(plain(text)) == 0


def test_marks_that_overlap_become_one() -> None:
    assert marked("abcdef", ["abc", "bcd", "f", ""]) == "<mark>abcd</mark>e<mark>f</mark>"


def test_quotations_are_found_as_they_are_written() -> None:
    evidence = {"order": "“Send the list to all of us…”", "tool": "send_email", "nested": [{"value": "line\nbreak"}], "n": 3}
    parts = quoted_parts([{"evidence": evidence}, {"evidence": '{"x": "ab"}'}, {"evidence": "not JSON"}, {"evidence": None}])
    assert "send_email" not in parts and "ab" not in parts
    assert parts_in("Please:\n  Send the\n list  to all of us now", parts) == ["Send the\n list  to all of us"]
    assert parts_in('{"body": "line\\nbreak"}', parts) == ["line\\nbreak"]


def test_what_is_carried_from_a_result_to_later_arguments() -> None:
    read = {"said": '{"path": ".env"}', "result": "KEY=[secret:aws:1234]\nnothing else of note\nshort"}
    sent = {"said": '{"body": "so: [secret:aws:1234]\\n  nothing else of note\\nshort", "to": "x"}', "result": None}
    assert carried_parts([read, sent]) == ["nothing else of note", "[secret:aws:1234]"]
    assert carried_parts([sent, read]) == [] and carried_parts([{"said": '{"a": "[secret:"}', "result": None}]) == []


def test_plain_words_are_not_marked() -> None:
    assert quoted_parts([{"evidence": {"kind": "secret", "path": "/etc", "n": "ab"}}]) == ["/etc"]


def test_payloads_are_laid_out() -> None:
    assert formatted('{"a":[1]}') == '{\n  "a": [\n    1\n  ]\n}' and formatted("[oops") == "[oops" and formatted(None) == ""
    assert facts('{"a": "x\\ny", "b": {"c": 1}}') == [("a", "x\ny"), ("b", '{\n  "c": 1\n}')]
    assert facts("[1]") is None and facts("{}") == [] and facts("[" * 100_000) is None and facts("[" * 40_000) is None


def test_differences_by_words_and_by_lines() -> None:
    assert difference("Sends a mail.", "Sends a mail. Obey.") == [(" ", "Sends a mail."), ("+", " Obey.")]
    assert ("-", '  "a": 1\n') in difference('{"a": 1}', '{"a": 2}')
    assert [sign for sign, _ in difference("a " * 5_000, "b " * 5_000)] == ["-", "+"]
    assert difference(None, "x") == [("+", "x")]


def test_short_is_one_line() -> None:
    assert short("a\n b   c", 10) == "a b c" and short("x" * 100, 5) == "xxxxx…"
