"""The commands of endpoints."""

import io
import json
import socket
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from connections_project.core.clock import database_clock
from connections_project.core.parsing import render_datetime
from connections_project.events import signing
from connections_project.events.endpoints import enable
from connections_project.events.models import Delivery, Endpoint, OutgoingEvent
from connections_project.events.sweep import forget_old_events
from connections_project.identity.origins import command_origin
from connections_project.platforms.suspend import resume, suspend
from tests.support.bank import Bank
from tests.support.event_receiver import Receiver
from tests.support.platform_server import Answer

pytestmark = pytest.mark.django_db(transaction=True)
NOBODY = "01890000-0000-7000-8000-000000000000"


def run(*command: str) -> str:
    out = io.StringIO()
    call_command(*command, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def code(*command: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as failure:
        run(*command)
    return failure.value.returncode, str(failure.value)


@pytest.mark.parametrize("reason", ["x" * 513, "moved\nuser_forgotten", "\u202emoved"])
def test_a_reason_is_one_that_the_audit_log_takes(reason: str) -> None:
    run("create_event_endpoint", "https://b.example.com/e")
    endpoint = Endpoint.objects.get()
    status, words = code("disable_event_endpoint", str(endpoint.pk), "--reason", reason)
    assert (status, words.startswith("--reason: ")) == (2, True)
    endpoint.refresh_from_db()
    assert endpoint.is_enabled


def test_create_and_list() -> None:
    made: dict[str, Any] = json.loads(
        run("create_event_endpoint", "https://app.example.com/e", "--types",
            "connection.disconnected,connection.deleted", "--json")
    )  # fmt: skip
    assert made["types"] == ["connection.disconnected", "connection.deleted"]
    assert len(made["secret"]) == len("whsec_") + 44
    assert run("create_event_endpoint", "https://b.example.com/e").startswith("whsec_")
    answer = run("disable_event_endpoint", made["id"], "--reason", "moved", "--json")
    assert json.loads(answer) == {"id": made["id"], "disabled": True, "changed": True}
    first, second = run("list_event_endpoints").splitlines()
    assert (made["id"] in first, "disabled" in first, "moved" in first) == (True, True, True)
    assert " enabled all https://b.example.com/e" in second
    told = json.loads(run("list_event_endpoints", "--json").splitlines()[0])
    assert told == {
        "id": made["id"],
        "url": made["url"],
        "types": made["types"],
        "is_enabled": False,
        "disabled_reason": "moved",
    }


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example.com/", "ftp://app.example.com/", "https://127.0.0.1/", "https://[::1]/",
        "https://u:p@app.example.com/", "https://", "x", "https://app.example.com:0/",
        "https://169.254.169.254/", "https://localhost/", "https://api.LOCALHOST./",
    ],
)  # fmt: skip
def test_a_wrong_address_is_refused(url: str, settings: LazySettings) -> None:
    settings.EVENT_ALLOWED_NETWORKS = []
    assert code("create_event_endpoint", url)[0] == 2
    assert not Endpoint.objects.exists()


def test_http_leads_to_an_allowed_network(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not to a name that lies elsewhere, or nowhere."""
    names = {"inside.example": "10.1.2.3", "app.example.com": "93.184.215.14"}

    def look_up(host: str, *_: Any, **__: Any) -> list[Any]:
        if host not in names:
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (names[host], 0))]

    monkeypatch.setattr("connections_project.events.endpoints.getaddrinfo", look_up)
    settings.EVENT_ALLOWED_NETWORKS = ["10.0.0.0/8"]
    run("create_event_endpoint", "http://inside.example/")
    for host in ("app.example.com", "nowhere.example", "localhost", "8.8.8.8"):
        assert code("create_event_endpoint", f"http://{host}/")[0] == 2
    assert Endpoint.objects.get().url == "http://inside.example/"


def test_a_listener_is_waited_for_once_it_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before that nobody else could know of it, however long the wait."""
    within: list[bool] = []
    monkeypatch.setattr(
        "connections_project.events.endpoints.wait_until_known",
        lambda: within.append(connection.in_atomic_block),
    )
    run("create_event_endpoint", "https://app.example.com/e")
    endpoint = Endpoint.objects.get()
    run("disable_event_endpoint", str(endpoint.pk))
    with transaction.atomic():
        enable(endpoint, reason="", origin=command_origin(None))
    assert within == [False, False]


def test_an_unknown_type_is_named() -> None:
    args = ("create_event_endpoint", "https://app.example.com/", "--types", "connection.gone")
    assert code(*args) == (2, "no such type of event: connection.gone")


@pytest.mark.parametrize(
    "command",
    [
        ("disable_event_endpoint", NOBODY),
        ("rotate_event_secret", NOBODY),
        ("test_event_endpoint", "x"),
        ("replay_events", "--endpoint", NOBODY, "--since", "2026-01-01T00:00:00Z"),
    ],
)
def test_an_unknown_id_is_named(command: tuple[str, ...]) -> None:
    returned, said = code(*command)
    assert returned == 1
    assert "no such event endpoint" in said


def test_a_secret_is_rotated(receiver: Receiver) -> None:
    printed = json.loads(run("rotate_event_secret", str(receiver.endpoint.pk), "--json"))
    assert set(printed) == {"id", "url", "types", "secret"}
    assert printed["secret"] != receiver.secret


def test_a_secret_in_use_is_not_dropped(receiver: Receiver) -> None:
    command = ("rotate_event_secret", str(receiver.endpoint.pk))
    second = run(*command).strip()
    returned, said = code(*command)
    assert (returned, "--force" in said) == (1, True)
    assert secrets(receiver) == [second, receiver.secret]
    third = run(*command, "--force").strip()
    assert secrets(receiver) == [third, second]
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert run(*command).strip() not in {second, third}


def secrets(receiver: Receiver) -> list[str]:
    """Return what signs now, the newest first."""
    receiver.endpoint.refresh_from_db()
    return signing._secrets(receiver.endpoint)


def test_a_test_event_is_sent(receiver: Receiver) -> None:
    endpoint = str(receiver.endpoint.pk)
    told = json.loads(run("test_event_endpoint", endpoint, "--json"))
    assert told == {"id": endpoint, "status_code": 204}
    (event,) = receiver.events
    assert (event["type"], set(event["data"])) == ("endpoint.test", {"actor", "trace_id"})
    receiver.server.on("POST", receiver.path, lambda _: Answer(503))
    assert code("test_event_endpoint", endpoint) == (
        1,
        "It was not taken: status_503.",
    )


def test_a_span_is_replayed_in_order(bank: Bank, receiver: Receiver) -> None:
    suspend(slug="bank", reason="x", origin=command_origin(None))
    resume(slug="bank", origin=command_origin(None))
    first = [event["id"] for event in receiver.events]
    since = render_datetime(timezone.now() - timedelta(minutes=5))
    args = ("replay_events", "--endpoint", str(receiver.endpoint.pk), "--since", since)
    assert run(*args) == "2 events due again.\n"
    assert run(*args, "--type", "platform.resumed") == "0 events due again.\n"
    again = json.loads(run(*args, "--json"))
    assert again == {"endpoint": str(receiver.endpoint.pk), "due_again": 0}
    printed = json.loads(run("deliver_events", "--once", "--json"))
    assert printed == {"tried": 2, "delivered": 2, "still_due": 0, "given_up": 0}
    assert sorted(event["id"] for event in receiver.events[2:]) == sorted(first)


def test_a_replay_reaches_a_newer_endpoint(bank: Bank, receiver: Receiver) -> None:
    suspend(slug="bank", reason="x", origin=command_origin(None))
    made = json.loads(run("create_event_endpoint", f"{receiver.server.url}/other", "--json"))
    since = render_datetime(timezone.now() - timedelta(minutes=5))
    run("replay_events", "--endpoint", made["id"], "--since", since)
    assert Delivery.objects.filter(endpoint=made["id"], state="pending").count() == 1


def test_a_host_whose_clock_is_ahead_puts_no_replay_off(
    bank: Bank, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspend(slug="bank", reason="x", origin=command_origin(None))
    made = json.loads(run("create_event_endpoint", f"{receiver.server.url}/other", "--json"))
    since = render_datetime(timezone.now() - timedelta(minutes=5))
    monkeypatch.setattr(database_clock, "_lead", time.time() - time.monotonic())
    monkeypatch.setattr(database_clock, "is_due", lambda: False)
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        run("replay_events", "--endpoint", made["id"], "--since", since)
        (delivery,) = Delivery.objects.filter(endpoint=made["id"])
        assert max(delivery.due_at, delivery.begun_at) <= database_clock.now()


def test_old_events_are_forgotten(bank: Bank, receiver: Receiver, settings: LazySettings) -> None:
    suspend(slug="bank", reason="x", origin=command_origin(None))
    long_ago = int((timezone.now() - timedelta(days=31)).timestamp() * 1_000_000)
    assert forget_old_events() == 0
    OutgoingEvent.objects.update(sequence=long_ago)
    assert forget_old_events() == 1
    assert not Delivery.objects.exists()
