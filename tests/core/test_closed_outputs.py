"""Commands that show a secret once, started without standard output or error (`2>&-`)."""

import shlex
import subprocess
import sys

import pytest
from django.conf import LazySettings

from connections_project.scim.models import ScimToken
from tests.conftest import PASSWORD
from tests.core.test_shown_once import COMMANDS, MODELS, make_operator_and_endpoint
from tests.support.process_environment import ROOT, environment_with

pytestmark = pytest.mark.django_db(transaction=True)

SANDBOX = ROOT / "connections_project" / "sandbox"
ALL = COMMANDS | {"create_scim_token": lambda: ("hr", "--issuer", "sandbox")}
WITH_A_HINT = ["create_api_key", "create_event_endpoint", "create_scim_token"]
NOTHING_MADE = (
    "CommandError: The output can't be written (Bad file descriptor)."
    " Nothing was made or changed; run it again.\n"
)


@pytest.fixture(autouse=True)
def _an_operator_and_an_endpoint(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    make_operator_and_endpoint(settings, monkeypatch)


def rows() -> list[object]:
    return [sorted(one._base_manager.values_list(), key=str) for one in (*MODELS, ScimToken)]


def started(name: str, redirection: str) -> "subprocess.CompletedProcess[str]":
    """Run a command by a shell, so that its outputs are closed as a shell closes them."""
    command = shlex.join([sys.executable, "manage.py", name, *ALL[name]()])
    return subprocess.run(
        ["sh", "-c", f"{command} {redirection}"],
        cwd=ROOT,
        env=environment_with(catalogue=SANDBOX / "catalog.toml")
        | {"IDENTITY_ISSUERS": str(SANDBOX / "issuers.toml"), "ADMIN_TOTP_REQUIRED": "true"},
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


# These two are made by the same class as an operator.
@pytest.mark.parametrize("name", sorted(ALL.keys() - {"create_user", "create_service_account"}))
def test_without_an_output_nothing_is_made(name: str) -> None:
    before = rows()
    done = started(name, ">&-")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(NOTHING_MADE)
    assert rows() == before


@pytest.mark.parametrize(
    ("name", "redirection"),
    [*((name, "2>&-") for name in WITH_A_HINT), ("create_scim_token", "2>/dev/full")],
)
def test_nor_where_the_hint_can_not_be_shown(name: str, redirection: str) -> None:
    before = rows()
    done = started(name, redirection)
    why = "Bad file descriptor" if "-" in redirection else "No space left on device"
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == NOTHING_MADE.replace("Bad file descriptor", why)
    assert rows() == before


def test_without_either_the_exit_code_says_so() -> None:
    before = rows()
    done = started("create_scim_token", ">&- 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert rows() == before


def test_what_goes_to_the_output_alone_needs_no_other() -> None:
    done = started("create_operator", "2>&-")
    assert done.returncode == 0
    assert "Recovery codes" in done.stdout


def test_other_failures_keep_their_exit_code() -> None:
    done = started("create_event_endpoint", "--types odd 2>&-")
    assert (done.returncode, done.stdout) == (2, "CommandError: no such type of event: odd\n")
