"""A revocation that ends a whole grant beside a connect on it leaves no dead token active."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType

import pytest
from django.db import OperationalError
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.connections import confirm
from connections_project.connections.open_questions import ask_open_questions
from connections_project.connections.registry import connection_type
from connections_project.revocation.models import OpenQuestion, RevocationJob
from connections_project.revocation.worker import process_revocations
from tests.races.conftest import Gate, meanwhile
from tests.support import bank, chirp, gallery
from tests.support.bank import Bank
from tests.support.platform_server import Answer, PlatformServer, Request
from tests.support.revocation_jobs import make_jobs

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

PLATFORMS: dict[str, tuple[ModuleType, type[Bank], str]] = {
    "providers": (bank, Bank, "revoked"),
    "channels": (chirp, chirp.Chirp, "error"),
    "social": (gallery, gallery.Gallery, "revoked"),
}


@dataclass
class Platform:
    """Honours the tokens that it gave since the last revocation, of whichever token that was.

    Args:
        app: Whose platform it is.
        made: Its tokens and its catalogue entry.
        flow: How one connects to it.
        dead_status: What its app calls a connection whose grant was revoked.
        given: How many tokens it gave.
        ended: How many of them are dead.
        leaving: Called once an answer is made, before it is sent.
        faults: What is answered first to whoever asks after a revocation.
    """

    app: str
    made: Bank
    flow: ModuleType
    dead_status: str
    given: int = 0
    ended: int = 0
    leaving: list[Callable[[], object]] = field(default_factory=list)
    faults: list[Answer] = field(default_factory=list)

    def open(self) -> None:
        self.made.open()
        server = self.made.server
        server.on("POST", "/token", lambda _: self.give())
        server.on("POST", "/revoke", lambda _: self.end())
        server.on("GET", "/me", self.identify)

    def give(self) -> Answer:
        self.given += 1
        return self.made.tokens()

    def end(self) -> Answer:
        self.ended = self.given
        return Answer(200)

    def identify(self, request: Request) -> Answer:
        if self.ended and self.faults:
            return self.faults.pop()
        number = re.match(r"Bearer access-(\d+)", request.headers["Authorization"])
        assert number is not None
        answer = self.made.identity() if int(number[1]) > self.ended else Answer(401)
        if self.leaving:
            # What was said stays said, however late it comes.
            self.leaving.pop()()
        return answer

    def make_job(self) -> None:
        """Leave a revocation of an earlier connection on the same grant."""
        slug = self.made.catalogue().split("]")[0].split(".")[1]
        make_jobs(
            slug,
            "an older one",
            app=self.app,
            authority=self.made.server.url.removeprefix("http://"),
            client_id="our client",
            platform_user_id=self.made.account_id,
        )

    def statuses(self) -> list[tuple[str, str | None]]:
        rows = connection_type(self.app).rows
        return list(rows.values_list("status", "attention_reason"))


@pytest.fixture(params=PLATFORMS)
def platform(
    request: pytest.FixtureRequest, server: PlatformServer, use_catalogue: Callable[..., None]
) -> Platform:
    flow, kind, dead_status = PLATFORMS[request.param]
    made = kind(server)
    text = made.catalogue(revocation='blast_radius = "grant"')
    use_catalogue(text, text.split("]")[0].split(".")[1])
    platform = Platform(request.param, made, flow, dead_status)
    platform.open()
    platform.make_job()
    return platform


def test_a_revocation_that_ends_first_is_seen(platform: Platform, api: APIClient) -> None:
    state = platform.flow.start(api)
    # The platform has said whose account it is; before that is stored, the grant is ended.
    platform.leaving.append(revoke_apart)
    answer = platform.flow.call_back(api, state)
    assert answer.status_code == 201
    assert RevocationJob.objects.get().state == "revoked"
    assert platform.statuses() == [(platform.dead_status, "grant_revoked")]
    assert '"active"' not in answer.content.decode()


def revoke_apart() -> None:
    with meanwhile(process_revocations) as working:
        working.result()


def test_a_revocation_that_ends_last_sees_it(platform: Platform, api: APIClient) -> None:
    connect_before_a_revocation_ends(platform, api)
    assert platform.statuses() == [(platform.dead_status, "grant_revoked")]


def connect_before_a_revocation_ends(platform: Platform, api: APIClient) -> None:
    gate = Gate(lambda: Answer(200))

    def end_late(request: Request) -> Answer:
        answer = gate(request)
        platform.end()
        return answer

    platform.made.server.on("POST", "/revoke", end_late)
    with meanwhile(process_revocations) as working:
        gate.wait_for_visitor()
        assert platform.flow.call_back(api, platform.flow.start(api)).status_code == 201
        assert platform.statuses()[0][1] is None
        gate.is_open.set()
        working.result()


@pytest.mark.parametrize("ends", ["first", "last"])
def test_a_question_that_meets_a_fault_is_asked_again(
    platform: Platform, api: APIClient, ends: str
) -> None:
    platform.faults.append(Answer(503))
    if ends == "first":
        platform.leaving.append(revoke_apart)
        assert platform.flow.call_back(api, platform.flow.start(api)).status_code == 201
    else:
        connect_before_a_revocation_ends(platform, api)
    # The receipt of who disconnected waits for nothing.
    assert RevocationJob.objects.get().state == "revoked"
    assert platform.statuses()[0][1] is None
    OpenQuestion.objects.update(due_at=timezone.now())
    ask_open_questions()
    assert platform.statuses() == [(platform.dead_status, "grant_revoked")]


def test_a_revocation_that_was_not_answered_is_asked_about_by_the_next_try(
    platform: Platform, api: APIClient
) -> None:
    platform.made.server.on("POST", "/revoke", Answer(503))
    process_revocations()
    assert platform.flow.call_back(api, platform.flow.start(api)).status_code == 201
    assert platform.statuses()[0][1] is None
    platform.end()
    RevocationJob.objects.update(due_at=timezone.now())
    process_revocations()
    assert RevocationJob.objects.get().state == "shared_grant"
    assert platform.statuses() == [(platform.dead_status, "grant_revoked")]


def test_a_grant_that_lives_on_stays(platform: Platform, api: APIClient) -> None:
    platform.made.server.on("POST", "/revoke", Answer(200))
    platform.leaving.append(revoke_apart)
    assert platform.flow.call_back(api, platform.flow.start(api)).status_code == 201
    assert platform.statuses()[0][1] is None
    assert len(platform.made.server.requests_to("/me")) == 2


def test_who_dies_before_asking_leaves_the_question(
    platform: Platform, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.leaving.append(revoke_apart)

    def away(*_: object, **__: object) -> None:
        raise OperationalError

    # The database fails right after the commit that stored the grant.
    monkeypatch.setattr(confirm, "was_revoked_since", away)
    assert platform.flow.call_back(api, platform.flow.start(api)).status_code == 201
    assert platform.statuses()[0][1] is None
    OpenQuestion.objects.update(due_at=timezone.now(), leased_until=timezone.now())
    ask_open_questions()
    assert platform.statuses() == [(platform.dead_status, "grant_revoked")]


def test_without_a_revocation_no_question_stays(platform: Platform, api: APIClient) -> None:
    RevocationJob.objects.all().delete()
    for _ in range(2):
        # The second time a channel's connection is there already.
        assert platform.flow.call_back(api, platform.flow.start(api)).status_code in {201, 409}
    assert len(platform.made.server.requests_to("/me")) == 2
    assert not OpenQuestion.objects.exists()
