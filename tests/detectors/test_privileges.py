"""Which tools are privileged, by their names."""

import pytest

from detectors.contract import Slice
from detectors.privileges import PRIVILEGED
from detectors.scenarios import call
from toolhound.proof import database_of


@pytest.mark.parametrize(("tool", "privileged"), [
    ("delete_user", True), ("grantRole", True), ("role_assign", True), ("iam__policy_attach", True), ("remove_from_list", True), ("exec_query", True),
    ("payments", True), ("bank__releasePayment", True), ("user_create", True), ("get_secret", True), ("refund_check", True), ("delete_view", True),
    ("list_roles", False), ("mcp__get_policy", False), ("policy_lookup", False), ("permissionsCheck", False), ("role_list", False),
    ("payload_read", False), ("send_email", False), ("notes", False),
])
def test_what_changes_or_pays_is_privileged_and_what_reads_is_not(tool: str, privileged: bool) -> None:
    seen = Slice({"calls": database_of([call(tool)]).query("SELECT * FROM calls")})
    try:
        assert seen.rows(f"SELECT {PRIVILEGED} AS is_so FROM calls") == [{"is_so": privileged}]
    finally:
        seen.close()
