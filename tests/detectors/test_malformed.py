"""What is said of a detector that is malformed or fails: the place, and what to do about it."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from detectors import registry
from detectors.contract import Detector, Found, Scope, Slice
from detectors.registry import Registered, detectors, malformed, registered
from detectors.scenarios import call
from store.errors import DetectorError
from store.records import Grade, Severity
from toolhound.detection import look_at_touched
from toolhound.proof import database_of

ANSWER = {
    "scope_key": "call_id", "subject": "tool", "call_ids": "[call_id]", "grade": "3", "score": "0.5", "sentence": "'A call.'", "evidence": "{'n': 1}",
}
LEARN = "SELECT tool AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at FROM calls GROUP BY tool"
PLAIN = Detector(severity=Severity.LOW, techniques=("owasp-mcp:2025:MCP10",), scope=Scope.CALL, find="", fires_on={}, quiet_on={})
PAGE = "Title.\n\nWhat it detects\nA.\n\nWhy it matters\nB.\n\nFalse positives\nC.\n\nBlind spots\nD."


def answering(without: str = "", source: str = "calls", **columns: str) -> str:
    return f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in (ANSWER | columns).items() if name != without)} FROM {source}"


def why(**changes: Any) -> str:
    """What is said of a detector that fails, while another one goes on."""
    one = Registered("one", "rules", replace(PLAIN, **changes), "One", {})
    other = Registered("other", "rules", replace(PLAIN, find=answering(), learn=LEARN, learn_by="coalesce(agent, '')"), "Other", {})
    looked = look_at_touched(database_of([call()]), [one, other])
    assert [f.detector for f in looked.findings if f.detector == "other"] == ["other"]
    assert list(looked.failures) == ["one"]
    return looked.failures["one"]


def dividing(_: Slice) -> Iterator[Found]:
    yield Found("a", "b", [], Grade.ORDER, 1 / int("0"), "A call.")


@pytest.mark.parametrize(("find", "told"), [
    (answering("grade"), "`find` must answer grade, too; it answers scope_key, subject"),
    (answering(grade="7"), "grade is 7; it must be 1, 2, 3, 4"),
    (answering(score="NULL"), "score is None"),
    (answering(subject="session_source"), "subject is 4; it must be text: in SQL `::VARCHAR`"),
    (answering(subject="NULL"), "subject is None"),
    (answering(call_ids="call_id"), "it must be a list: in SQL `[call_id]`"),
    (answering(call_ids="['x']"), "points to calls that do not exist: ['x']; they must be ids out of `calls`"),
    (answering(evidence="'see above'"), "evidence and about are a struct, like {'actual': n}, or JSON of an object; this is 'see above'"),
    (answering(evidence="'7'"), "or JSON of an object; this is '7'"),
    (answering(source="leafs"), "its `find` cannot be answered: Catalog Error"),
    (answering(subject="regexp_extract(tool, '(?=x)')"), "its `find` cannot be answered: Invalid Input Error: invalid perl operator"),
    (dividing, "ZeroDivisionError: division by zero (test_malformed.py, line "),
    (lambda _: [Found("a", "b", "c", Grade.ORDER, 0.5, "A call.")], "call_ids is 'c'; it must be a list"),
])
def test_what_is_wrong_with_an_answer_is_told(find: str | Callable[[Slice], Any], told: str) -> None:
    assert told in why(find=find)


@pytest.mark.parametrize(("changes", "told"), [
    ({"suspect": "bool_or(toool = 'x')"}, "its `suspect` cannot be answered: Binder Error"),
    ({"suspect_result": "(?=x)"}, "its `suspect_result` cannot be answered: Invalid Input Error"),
    ({"learn": LEARN.replace("max", "most")}, "its `learn` cannot be answered: Catalog Error"),
    ({"learn": LEARN, "learn_by": "agnt"}, "its `learn_by and learn` cannot be answered: Binder Error"),
])
def test_which_question_failed_is_told(changes: dict[str, str], told: str) -> None:
    assert told in why(find=answering(), **changes)


@pytest.mark.parametrize(("changes", "told"), [
    ({"techniques": "owasp-mcp:2025:MCP10"}, "a tuple of one has a comma: ('owasp-mcp:2025:MCP10',)"),
    ({"needs": ("norml",)}, "needs names norml; it may name calls, messages"),
    ({"needs": ("normal",)}, "find would never be asked"),
    ({"payloads": ("results",)}, "payloads names results; it may name arguments, result"),
    ({"learn_by": "agent"}, "learn is missing"),
])
def test_what_cannot_be_meant_so_is_refused(changes: dict[str, Any], told: str) -> None:
    module = ModuleType("odd", PAGE)
    vars(module)["DETECTOR"] = replace(PLAIN, **changes)
    with pytest.raises(DetectorError) as raised:
        registered(module, "rules")
    assert str(raised.value).startswith("odd: ") and told in str(raised.value)


@pytest.mark.parametrize(("source", "told"), [
    (None, "given, which the entry point mine of toolhound.detectors names, cannot be imported: ModuleNotFoundError"),
    ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero; mend it, or take it away"),
    ("", "given holds no DETECTOR; each detector is a module of its own, which an entry point must name"),
])
def test_a_package_that_brings_no_detector_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str | None, told: str) -> None:
    if source is not None:
        (tmp_path / "given.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "given", raising=False)
    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint("mine", "given", group)])
    with pytest.raises(DetectorError) as raised:
        detectors.__wrapped__()
    assert told in str(raised.value)


def test_a_package_brings_a_detector(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "brought.py").write_text(
        f'"""{PAGE}"""\nfrom detectors.contract import Detector, Scope\nfrom store.records import Severity\n'
        f"DETECTOR = Detector(severity=Severity.LOW, techniques=(), scope=Scope.CALL, find={answering()!r}, fires_on={{}}, quiet_on={{}})\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint("mine", "brought", group)])
    one = detectors.__wrapped__()["brought"]
    sys.modules.pop("brought")
    assert len(look_at_touched(database_of([call()]), [one]).findings) == 1


def test_none_of_ours_says_what_cannot_be_meant() -> None:
    assert {name: told for name, one in detectors().items() if (told := list(malformed(one.detector)))} == {}
