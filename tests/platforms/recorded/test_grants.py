"""Each recorded platform is connected, refreshed, refused, disconnected and revoked.

What a platform has no such thing for is named in the table of docs/platforms.md.
"""

from typing import Any

import pytest
from rest_framework.test import APIClient

from connections_project.revocation.models import RevocationJob
from tests.platforms.recorded.conftest import ServeRecording
from tests.platforms.recorded.failures import PASSING
from tests.platforms.recorded.platform import (
    RecordedPlatform,
    authenticates,
    revoked_token,
    tried_again,
)
from tests.platforms.recorded.recordings import RECORDINGS, REFRESHED, REVOKED

pytestmark = pytest.mark.django_db(transaction=True)

only_refreshed = pytest.mark.parametrize("recorded", REFRESHED, indirect=True)
only_revoked = pytest.mark.parametrize("recorded", REVOKED, indirect=True)
only_dead_already = pytest.mark.parametrize(
    "recorded", [slug for slug, one in REVOKED.items() if one.revoked_already], indirect=True
)


@pytest.fixture(params=RECORDINGS)
def recorded(request: pytest.FixtureRequest, serve_recording: ServeRecording) -> RecordedPlatform:
    return serve_recording(RECORDINGS[request.param])


@pytest.fixture
def row(api: APIClient, recorded: RecordedPlatform) -> Any:
    return recorded.connect(api)


def status_of(row: Any) -> str:
    row.refresh_from_db()
    return str(row.status)


def test_it_is_known_whose_it_is(recorded: RecordedPlatform, row: Any) -> None:
    stored = (row.platform_account_id, row.platform_account_name, row.granting_user_id)
    recording = recorded.recording
    granted_by = recording.granted_by or recording.account_id
    assert stored == (recording.account_id, recording.account_name, granted_by)


def test_a_code_is_exchanged_as_it_wants(recorded: RecordedPlatform, row: Any) -> None:
    request = recorded.server.requests_to(recorded.token_path)[0]
    assert request.form["code"] == "the-code"
    assert ("code_verifier" in request.form) is (recorded.platform.code_challenge_method == "S256")
    assert authenticates(request, recorded.platform)


@only_refreshed
def test_it_is_refreshed(api: APIClient, recorded: RecordedPlatform, row: Any) -> None:
    assert recorded.refresh(api, row)
    request = recorded.refreshes[-1]
    assert recorded.recording.renewed in {**request.query, **request.form}.values()
    if recorded.recording.refreshes_at is None:
        assert authenticates(request, recorded.platform)


@only_refreshed
def test_a_dead_grant_ends_it(api: APIClient, recorded: RecordedPlatform, row: Any) -> None:
    for answer, becomes in recorded.recording.dead:
        recorded.revive(row)
        recorded.server.on(*recorded.refreshes_at, answer)
        assert not recorded.refresh(api, row)
        assert status_of(row) == recorded.means(becomes)


def test_a_passing_fault_ends_nothing(api: APIClient, recorded: RecordedPlatform, row: Any) -> None:
    for failure in [*PASSING.values(), *recorded.recording.passing]:
        if recorded.recording.slug in REFRESHED:
            recorded.server.on(*recorded.refreshes_at, failure)
            assert not recorded.refresh(api, row)
        recorded.open()
        if recorded.platform.identity_endpoint:
            recorded.refuse_reads(failure)
            assert recorded.fails_to_connect(api)
            recorded.open()
        assert status_of(row) == recorded.means("active")


def test_what_can_not_be_told_is_not(api: APIClient, recorded: RecordedPlatform, row: Any) -> None:
    job = recorded.end(api, row)
    assert status_of(row) == recorded.means("over")
    assert (job is not None) is (recorded.recording.slug in REVOKED)


@only_revoked
def test_it_is_revoked_and_verified(api: APIClient, recorded: RecordedPlatform, row: Any) -> None:
    job = recorded.end(api, row)
    assert job
    assert (job.state, job.verification) == ("revoked", "verified_dead")
    assert tuple(map(revoked_token, recorded.revocations)) == recorded.recording.revokes
    revocation = recorded.platform.revocation
    if revocation and revocation.kind == "rfc7009" and revocation.client_auth:
        assert all(authenticates(one, recorded.platform) for one in recorded.revocations)


@only_revoked
def test_an_empty_promise_is_found_out(
    api: APIClient, recorded: RecordedPlatform, row: Any
) -> None:
    recorded.outlive_revocations()
    job = recorded.end(api, row)
    assert job
    assert (job.state, job.verification) == ("pending", "still_alive")
    # Once it keeps its word, that is seen.
    recorded.open()
    assert tried_again() == ["revoked"]
    assert RevocationJob.objects.get().verification == "verified_dead"


@only_dead_already
def test_a_token_dead_already_counts_as_revoked(
    api: APIClient, recorded: RecordedPlatform, row: Any
) -> None:
    for answer in recorded.recording.revoked_already:
        recorded.server.on(*recorded.revokes_at, answer)
        job = recorded.end(api, row)
        assert job
        assert (job.state, job.verification) == ("revoked", "verified_dead")


@only_revoked
def test_a_failed_revocation_is_tried_again(
    api: APIClient, recorded: RecordedPlatform, row: Any
) -> None:
    passing = [*PASSING.values(), *recorded.recording.passing]
    failures = [*passing, *recorded.recording.unrevoked]
    recorded.server.on(*recorded.revokes_at, failures[0])
    job = recorded.end(api, row)
    assert job
    assert (job.state, job.verification) == ("pending", "")
    for failure in failures[1:]:
        recorded.server.on(*recorded.revokes_at, failure)
        assert tried_again() == ["pending"]
    recorded.server.on(*recorded.revokes_at, recorded.recording.revoked)
    assert tried_again() == ["revoked"]
