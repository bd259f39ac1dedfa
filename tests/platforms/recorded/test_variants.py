"""Each platform's answers are understood in whatever way their JSON is written."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from connections_project.oauth.answers import (
    Origin,
    require_living_grant,
    require_success,
    says_dead_token,
)
from connections_project.oauth.catalog import Platform
from connections_project.oauth.errors import PlatformError, as_dead_grant, is_locked_out
from connections_project.oauth.messages import Answer as Received
from connections_project.platforms import client
from connections_project.platforms.registry import Upstream, upstream
from providers.reader import reader_of
from providers.statements import Statement, read_movements, read_statements
from tests.platforms.recorded.conftest import ServeRecording
from tests.platforms.recorded.overlays import SHIPPED
from tests.platforms.recorded.platform import RecordedPlatform
from tests.platforms.recorded.recording import RecordedAnswer, Recording
from tests.platforms.recorded.recordings import RECORDINGS
from tests.platforms.recorded.variants import VARIANTS, Variant, varied
from tests.support.platform_server import Answer


@pytest.fixture(params=RECORDINGS)
def recorded(request: pytest.FixtureRequest, serve_recording: ServeRecording) -> RecordedPlatform:
    return serve_recording(RECORDINGS[request.param])


def play(recorded: RecordedPlatform, variant: Variant) -> Upstream:
    """Have all answers be written in one way."""

    def played(one: RecordedAnswer) -> Any:
        return lambda request: varied(one(request) if callable(one) else one, variant)

    recorded.server.on("POST", recorded.token_path, played(recorded.tokens))
    routes = dict(recorded.recording.routes)
    if recorded.recording.lasting:
        routes[recorded.refreshes_at] = Answer(json=dict(recorded.recording.lasting))
    for (method, path), answer in routes.items():
        recorded.server.on(method, path, played(answer))
    found = upstream(recorded.recording.slug)
    assert found is not None
    return found


def test_it_is_known_whose_it_is(recorded: RecordedPlatform) -> None:
    wanted = recorded.recording
    for variant in VARIANTS:
        found = play(recorded, variant)
        uri = found.registration.redirect_uris[0]
        tokens = client.exchange_code(found, code="a", redirect_uri=uri, code_verifier=None)
        granted = client.granted_accounts(found, tokens)
        (account,) = granted.accounts
        identity = account.identity
        known = (identity.account_id, identity.account_name or "", granted.granted_by)
        whose = wanted.granted_by or wanted.account_id
        assert known == (wanted.account_id, wanted.account_name, whose), variant
        if "expires_in" in wanted.tokens and not wanted.lasting:
            assert tokens.expires_in == wanted.tokens["expires_in"], variant


def test_the_same_is_read(recorded: RecordedPlatform) -> None:
    wanted = recorded.recording
    if recorded.platform.app != "providers":
        return
    for variant in VARIANTS:
        reader = reader_of(play(recorded, variant), access_token="access-1")
        read = read_statements(reader)
        statements = [one for one in read if one is not None and one.knows_balance]
        assert len(statements) == len(read), variant
        lists = [read_movements(reader, one) for one in statements]
        assert all(one.is_whole for one in lists), variant
        assert sorted(map(account, statements)) == sorted(map(expected, wanted.accounts)), variant
        transactions = sorted(
            (one.posted_at, one.amount, one.currency, one.description)
            for movements in lists
            for one in {each.platform_transaction_id: each for each in movements.found}.values()
        )
        assert transactions == sorted(
            (datetime.fromisoformat(at), Decimal(amount), currency, description)
            for at, amount, currency, description in wanted.transactions
        ), variant


def account(read: Statement) -> tuple[Any, ...]:
    return read.name, read.type, read.currency, read.balance


def expected(row: tuple[str, str, str, str]) -> tuple[Any, ...]:
    return *row[:3], Decimal(row[3])


def ways(answer: Answer) -> Iterator[Received]:
    for variant in VARIANTS:
        one = varied(answer, variant)
        yield Received("platform", one.status, one.headers, one.content())


def verdict_of(received: Received, platform: Platform, *, at: Origin) -> str | None:
    """Return what becomes of a connection; None: nothing."""
    try:
        require_living_grant(received, platform, at=at)
        require_success(received)
    except PlatformError as error:
        return as_dead_grant(error).becomes if is_locked_out(error) else None
    return None


@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS)
def test_what_is_dead_is_seen_to_be(recording: Recording) -> None:
    platform = SHIPPED[recording.slug]
    cases: dict[Origin, Any] = {"token": recording.dead, "api": recording.dead_token}
    for at, answers in cases.items():
        for answer, becomes in answers:
            for received in ways(answer):
                assert verdict_of(received, platform, at=at) == becomes, received.text
    for answer in recording.revoked_already:
        # That of RFC 7009 has no matcher.
        is_told = platform.revocation is not None and bool(platform.revocation.dead_token)
        for received in ways(answer) if is_told else ():
            assert platform.revocation
            assert says_dead_token(received, platform.revocation)


@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS)
def test_an_invalid_grant_is_dead_at_any_status(recording: Recording) -> None:
    for status in (200, 400, 401, 403, 404, 422):
        for received in ways(Answer(status, json={"error": "invalid_grant"})):
            assert verdict_of(received, SHIPPED[recording.slug], at="token") == "expired"


@pytest.mark.parametrize("slug", ["coinbase", "monzo"])
def test_a_lone_token_that_was_dead_counts_as_revoked(slug: str) -> None:
    revocation = SHIPPED[slug].revocation
    assert revocation
    dead, _ = RECORDINGS[slug].dead_token[0]
    # Coinbase's status may be one of success.
    answers = [dead, Answer(json={"error": "invalid_token"})] if slug == "coinbase" else [dead]
    for received in (one for answer in answers for one in ways(answer)):
        assert says_dead_token(received, revocation)
