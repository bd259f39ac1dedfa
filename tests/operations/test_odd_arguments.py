"""A shell may hand down bytes that are no text: commands say so, without a traceback."""

import pytest
from django.core.management import CommandError, call_command

# As Python reads the byte 0xFF of an argument (PEP 383).
ODD = "kim\udcff@example.com"

CALLS = [
    ("disconnect_user", ODD, "--reason=left"),
    ("disconnect_user", "kim@example.com", "--reason=left", f"--operator={ODD}"),
    ("disconnect_provider", "--all", f"--reason={ODD}"),
    ("disconnect_provider", "--reason=left", f"--user={ODD}"),
    ("disconnect_provider", "--all", "--reason=left", f"--operator={ODD}"),
    ("leaver_receipt", ODD),
    ("inspect_connection", ODD),
    ("create_user", ODD),
    ("resume_platform", ODD, "--reason=left"),
    ("revoke_api_key", ODD),
    ("revoke_scim_token", ODD),
    ("create_event_endpoint", f"https://{ODD}"),
]


@pytest.mark.django_db
@pytest.mark.parametrize("call", CALLS, ids=range(len(CALLS)))
def test_what_is_no_text_is_refused(call: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="not UTF-8") as refused:
        call_command(*call)
    assert refused.value.returncode == 2
