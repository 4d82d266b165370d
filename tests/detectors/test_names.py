"""Names that imitate are told from names that are honestly alike."""

import pytest

from detectors.names import LOOKS_ALIKE, SAME_WORDS, SLIP, alike, distance, fold, likeness


@pytest.mark.parametrize(("one", "other", "kind"), [
    ("github", "g\u0456thub", LOOKS_ALIKE), ("paypal", "paypa1", LOOKS_ALIKE), ("modern", "modem", LOOKS_ALIKE),
    ("payments", "\uff50ayments", LOOKS_ALIKE),
    ("filesystem", "filesytem", SLIP), ("send_email", "send_emali", SLIP), ("postgres", "postgress", SLIP),
    ("read_file", "readFile", SAME_WORDS), ("run_command", "run_the_command", SAME_WORDS), ("search_code", "code_search", SAME_WORDS),
])
def test_imitations(one: str, other: str, kind: str) -> None:
    for pair in ((one, other), (other, one)):
        found = likeness(*pair)
        assert found is not None
        assert found.kind == kind
    assert [found.kind for found in alike(frozenset((one, other, "something_else")))] == [kind]


@pytest.mark.parametrize(("one", "other"), [
    ("import_data", "export_data"), ("list_files", "list_file"), ("get_user1", "get_user2"), ("Files", "files"), ("get", "set"),
    ("weather", "whether_or_not"),
    ("encrypt_text", "decrypt_text"), ("file_row", "file_col"), ("node-9", "node-10"),
])
def test_honest_names(one: str, other: str) -> None:
    assert likeness(one, other) is None


def test_distance_stops_at_the_most_that_matters() -> None:
    assert [distance("abcdef", other, 2) for other in ("abcdef", "abdcef", "abcxef", "zbcdez", "zyxwvu")] == [0, 1, 1, 2, 3]


def test_folding_leaves_plain_text_alone() -> None:
    assert fold("plain text") == "plain text"
    assert fold("p\u0430ym\u0435nt") == "payment"
