"""Operators' second factor: nobody enters the admin on a password alone where it is required."""

import io
import json
import re
import time
from base64 import b32decode
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import segno
import time_machine
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from django_otp.oath import totp

from audit.models import AuditEvent
from connections_project.core import clock
from connections_project.core.vault import seal
from connections_project.identity.models import Authenticator, RecoveryCode, User
from tests.identity.conftest import PASSWORD
from tests.support.clocks import host_ahead, read_right

EMAIL = "kim@example.com"
ADMIN = "/admin/"
NOON = "2026-01-01T12:00:00Z"
NEXT_STEP = "2026-01-01T12:00:31Z"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _required(settings: LazySettings) -> None:
    settings.ADMIN_TOTP_REQUIRED = True


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def run(*words: str) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
        out = io.StringIO()
        call_command(*words, stdout=out)
        return out.getvalue()

    return run


@pytest.fixture
def secret(run: Callable[..., str]) -> str:
    """Make an operator, and give the secret that the command printed."""
    printed: dict[str, str] = json.loads(
        run("create_operator", EMAIL, "--password-stdin", "--json")
    )
    return printed["totp_secret"]


def code(secret: str) -> str:
    return f"{totp(b32decode(secret)):06}"


def sign_in(client: Client, otp_token: str = "", **form: str) -> bool:
    """Sign in by the admin's form, and return whether the dashboard opens."""
    given = {"username": EMAIL, "password": PASSWORD, "otp_token": otp_token, **form}
    client.post("/admin/login/", given)
    return client.get(ADMIN).status_code == 200


def failures() -> list[str]:
    return [event.reason for event in AuditEvent.objects.filter(action="login_failed")]


def test_password_and_code_open_the_admin(client: Client, secret: str) -> None:
    assert sign_in(client, code(secret))
    event = AuditEvent.objects.get(action="operator_signed_in")
    assert (event.actor_type, event.interface) == ("operator", "admin")
    assert event.actor_id == User.objects.get().pk


def test_a_code_may_be_typed_in_two_halves(client: Client, secret: str) -> None:
    now = code(secret)
    assert sign_in(client, f" {now[:3]} {now[3:]} ")


@pytest.mark.parametrize(
    "typed", ["", "000000", "-12345", "12345", "1234567", "½½½½½½", "٣٣٣٣٣٣", "abc"]
)
def test_without_a_good_code_nobody_gets_in(client: Client, secret: str, typed: str) -> None:
    assert not sign_in(client, "111111" if typed == code(secret) else typed)
    assert failures() == ["wrong_code"]


def test_a_code_is_good_once(client: Client, secret: str) -> None:
    with time_machine.travel(NOON, tick=False):
        spent = code(secret)
        assert sign_in(client, spent)
        assert not sign_in(Client(), spent)


def test_wrong_codes_delay_even_the_right_one(client: Client, secret: str) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(3):
            sign_in(client, "abcdef")
            clock.shift(0.1)
        assert not sign_in(client, code(secret))
        clock.shift(5)
        assert sign_in(client, code(secret))


def test_wrong_codes_count_as_failed_sign_ins(client: Client, secret: str) -> None:
    with time_machine.travel(NOON, tick=False):
        for _ in range(5):
            sign_in(client, "abcdef")
        form = {"username": EMAIL, "password": PASSWORD, "otp_token": code(secret)}
        page = client.post("/admin/login/", form)
    assert page.status_code == 429
    assert int(page["Retry-After"]) > 0


def test_wrong_password_and_wrong_code_look_alike(client: Client, secret: str) -> None:
    pages = [
        client.post("/admin/login/", {"username": EMAIL, "otp_token": "000000", "password": word})
        for word in (PASSWORD, "wrong")
    ]
    first, second = (
        re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.content.decode())
        for page in pages
    )
    assert first == second


def test_without_the_factor_the_admin_is_closed(client: Client, secret: str) -> None:
    client.force_login(User.objects.get())
    assert client.get(ADMIN).status_code == 302
    assert "does not open the admin" in client.get("/admin/login/").content.decode()


def test_a_user_session_needs_the_code_too(client: Client, secret: str) -> None:
    client.post("/sign-in", {"username": EMAIL, "password": PASSWORD})
    assert "_auth_user_id" in client.session
    assert client.get(ADMIN).status_code == 302


def test_no_other_operators_device_will_do(client: Client, secret: str) -> None:
    User.objects.create_superuser("other@example.com", PASSWORD)
    assert not sign_in(client, code(secret), username="other@example.com")
    assert failures() == ["no_second_factor"]


def test_a_user_is_refused_with_any_password(client: Client, owner: User) -> None:
    assert not sign_in(client, username=owner.email)
    assert failures() == ["no_operator"]


def test_the_secret_is_stored_sealed(secret: str) -> None:
    device = Authenticator.objects.get()
    key = b32decode(secret).hex()
    assert key not in device.sealed_key.ciphertext
    assert secret not in device.sealed_key.ciphertext


def test_a_secret_of_another_row_is_refused(client: Client, secret: str) -> None:
    key = b32decode(secret).hex()
    Authenticator.objects.update(sealed_key=seal({"key": key}, subject="authenticator:other"))
    assert not sign_in(client, code(secret))
    assert failures() == ["unreadable_second_factor"]


def test_the_address_carries_what_an_app_scans(run: Callable[..., str]) -> None:
    printed = run("create_operator", EMAIL, "--password-stdin")
    found = re.search(r"otpauth://\S+", printed)
    assert found
    address = urlsplit(found[0])
    query = parse_qs(address.query)
    assert (address.netloc, query["digits"], query["period"]) == ("totp", ["6"], ["30"])
    assert unquote(address.path).endswith(f":{EMAIL}")
    assert f"Secret: {query['secret'][0]}\n" in printed


def recovery_codes(run: Callable[..., str]) -> list[str]:
    printed = json.loads(run("create_operator", EMAIL, "--password-stdin", "--json"))
    codes: list[str] = printed["recovery_codes"]
    return codes


def test_ten_recovery_codes_are_good_once(client: Client, run: Callable[..., str]) -> None:
    codes = recovery_codes(run)
    assert len(set(codes)) == 10
    assert sign_in(client, codes[0])
    assert sign_in(Client(), codes[1].lower().replace("-", " "))
    event = AuditEvent.objects.filter(action="recovery_code_used").order_by("id").last()
    assert event is not None
    assert event.details == {"left": 8}
    assert not sign_in(Client(), codes[0])
    assert failures() == ["wrong_code"]


def test_of_recovery_codes_hashes_are_stored(run: Callable[..., str]) -> None:
    codes = recovery_codes(run)
    stored = str(list(RecoveryCode.objects.values())) + str(list(AuditEvent.objects.values()))
    assert not any(code.replace("-", "") in stored.upper() for code in codes)


def test_a_reset_ends_recovery_codes(client: Client, run: Callable[..., str]) -> None:
    codes = recovery_codes(run)
    run("reset_totp", EMAIL)
    assert not sign_in(client, codes[0])
    assert RecoveryCode.objects.count() == 10


def test_the_terminal_shows_a_code_to_scan(run: Callable[..., str]) -> None:
    """What the blocks say is what segno has drawn by itself."""
    printed = run("create_operator", EMAIL, "--password-stdin")
    found = re.search(r"otpauth://\S+", printed)
    assert found
    drawn = [line for line in printed.splitlines() if line and set(line) <= set("█▀▄ ")]
    dark = {"█": (0, 0), "▀": (0, 1), "▄": (1, 0), " ": (1, 1)}
    rows = [[dark[one][half] for one in line] for line in drawn for half in (0, 1)]
    expected = [list(row) for row in segno.make(found[0], error="l").matrix_iter(border=2)]
    assert rows[: len(expected)] == expected


def test_making_an_operator_is_audited_unsecretly(secret: str) -> None:
    event = AuditEvent.objects.get(action="operator_created")
    assert event.subject_id == User.objects.get().pk
    assert secret not in str(event.details)


def test_a_reset_enrols_anew_and_ends_sessions(
    client: Client, secret: str, run: Callable[..., str]
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        assert sign_in(client, code(secret))
        fresh = json.loads(run("reset_totp", EMAIL.upper(), "--json"))["totp_secret"]
        assert client.get(ADMIN).status_code == 302
        clock.shift(60)
        assert not sign_in(client, code(secret))
        clock.shift(60)
        assert sign_in(client, code(fresh))
    assert AuditEvent.objects.filter(action="second_factor_reset").count() == 1


@pytest.mark.parametrize("email", ["nobody@example.com", "owner@example.com"])
def test_only_an_operators_factor_can_be_reset(run: Callable[..., str], email: str) -> None:
    User.objects.create_user("owner@example.com", PASSWORD)
    with pytest.raises(CommandError, match="No active operator"):
        run("reset_totp", email)
    assert not Authenticator.objects.exists()


def test_if_not_required_the_password_suffices(
    client: Client, settings: LazySettings, run: Callable[..., str]
) -> None:
    settings.ADMIN_TOTP_REQUIRED = False
    printed = run("create_operator", EMAIL, "--password-stdin")
    assert "otpauth" not in printed
    assert "otp_token" not in client.get("/admin/login/").content.decode()
    assert sign_in(client)


def test_12_hours_after_the_code_the_admin_closes(client: Client, secret: str) -> None:
    """Whatever is posted meanwhile: the sign-in page asks for no code."""
    password = {"username": EMAIL, "password": PASSWORD}
    with time_machine.travel(NOON, tick=False) as clock:
        assert sign_in(client, code(secret))
        for _ in range(3):
            clock.shift(3.9 * 3600)
            client.post("/sign-in", password)
            client.post("/admin/login/", {**password, "otp_token": "000000"})
            client.get("/admin/login/")
            assert client.get(ADMIN).status_code == 200
        clock.shift(0.4 * 3600)
        client.post("/sign-in", password)
        assert client.get(ADMIN).status_code == 302
        assert sign_in(client, code(secret))


@pytest.mark.parametrize("ahead", [-120, 120])
def test_a_code_is_good_by_the_databases_clock(
    client: Client, secret: str, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    right = code(secret)
    read_right(monkeypatch)
    with host_ahead(ahead):
        assert sign_in(client, right)


def test_no_host_behind_puts_the_end_off(
    client: Client, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sign_in(client, code(secret))
    with host_ahead(12 * 3600 + 1):
        read_right(monkeypatch)
        with host_ahead(-120):
            assert client.get(ADMIN).status_code == 302


@pytest.mark.parametrize("ahead", [-3600, 3600])
def test_the_wait_after_a_wrong_code_is_by_the_databases_clock(
    client: Client, secret: str, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    read_right(monkeypatch)
    assert not sign_in(client, "000000")
    Authenticator.objects.update(throttling_failure_count=7)
    with host_ahead(ahead):
        # Another host has to wait for 64 seconds as this one does, no shorter and no longer.
        assert not sign_in(client, code_by_the_database(secret))
        failed_at = timezone.now() - timedelta(seconds=ahead + 65)
        Authenticator.objects.update(throttling_failure_timestamp=failed_at)
        assert sign_in(client, code_by_the_database(secret))


def test_a_wrong_code_is_dated_by_the_databases_clock(
    client: Client, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_right(monkeypatch)
    with host_ahead(3600):
        assert not sign_in(client, "000000")
    failed_at = Authenticator.objects.get().throttling_failure_timestamp
    assert failed_at <= timezone.now()


def code_by_the_database(secret: str) -> str:
    return f"{totp(b32decode(secret), t0=int(time.time() - clock.now().timestamp())):06}"
