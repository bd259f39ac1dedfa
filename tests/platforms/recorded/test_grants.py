"""Each recorded platform is connected, refreshed, refused, disconnected and revoked.

What a platform has no such thing for is named in the table of docs/platforms.md.
"""

from typing import Any

import pytest
from rest_framework.test import APIClient

from connections_project.revocation.models import RevocationJob
from tests.platforms.recorded.conftest import SetStage
from tests.platforms.recorded.faults import PASSING
from tests.platforms.recorded.recordings import RECORDINGS, REFRESHED, REVOKED
from tests.platforms.recorded.stage import Stage, authenticates, revoked_token, tried_again

pytestmark = pytest.mark.django_db(transaction=True)

only_refreshed = pytest.mark.parametrize("stage", REFRESHED, indirect=True)
only_revoked = pytest.mark.parametrize("stage", REVOKED, indirect=True)
only_dead_already = pytest.mark.parametrize(
    "stage", [slug for slug, one in REVOKED.items() if one.revoked_already], indirect=True
)


@pytest.fixture(params=RECORDINGS)
def stage(request: pytest.FixtureRequest, set_stage: SetStage) -> Stage:
    return set_stage(RECORDINGS[request.param])


@pytest.fixture
def row(api: APIClient, stage: Stage) -> Any:
    return stage.connect(api)


def status_of(row: Any) -> str:
    row.refresh_from_db()
    return str(row.status)


def test_it_is_known_whose_it_is(stage: Stage, row: Any) -> None:
    told = (row.platform_account_id, row.platform_account_name, row.granting_user_id)
    recording = stage.recording
    granted_by = recording.granted_by or recording.account_id
    assert told == (recording.account_id, recording.account_name, granted_by)


def test_a_code_is_exchanged_as_it_wants(stage: Stage, row: Any) -> None:
    request = stage.server.requests_to(stage.token_path)[0]
    assert request.form["code"] == "the-code"
    assert ("code_verifier" in request.form) is (stage.platform.code_challenge_method == "S256")
    assert authenticates(request, stage.platform)


@only_refreshed
def test_it_is_refreshed(api: APIClient, stage: Stage, row: Any) -> None:
    assert stage.refresh(api, row)
    request = stage.refreshes[-1]
    assert stage.recording.renewed in {**request.query, **request.form}.values()
    if stage.recording.refreshes_at is None:
        assert authenticates(request, stage.platform)


@only_refreshed
def test_a_dead_grant_ends_it(api: APIClient, stage: Stage, row: Any) -> None:
    for answer, becomes in stage.recording.dead:
        stage.revive(row)
        stage.server.on(*stage.refreshes_at, answer)
        assert not stage.refresh(api, row)
        assert status_of(row) == stage.means(becomes)


def test_a_passing_fault_ends_nothing(api: APIClient, stage: Stage, row: Any) -> None:
    for fault in PASSING.values():
        if stage.recording.slug in REFRESHED:
            stage.server.on(*stage.refreshes_at, fault)
            assert not stage.refresh(api, row)
        stage.open()
        if stage.platform.identity_endpoint:
            stage.refuse_reads(fault)
            assert stage.fails_to_connect(api)
            stage.open()
        assert status_of(row) == stage.means("active")


def test_what_can_not_be_told_is_not(api: APIClient, stage: Stage, row: Any) -> None:
    job = stage.end(api, row)
    assert status_of(row) == stage.means("over")
    assert (job is not None) is (stage.recording.slug in REVOKED)


@only_revoked
def test_it_is_revoked_and_verified(api: APIClient, stage: Stage, row: Any) -> None:
    job = stage.end(api, row)
    assert job
    assert (job.state, job.verification) == ("revoked", "verified_dead")
    assert tuple(map(revoked_token, stage.revocations)) == stage.recording.revokes
    revocation = stage.platform.revocation
    if revocation and revocation.kind == "rfc7009" and revocation.client_auth:
        assert all(authenticates(one, stage.platform) for one in stage.revocations)


@only_revoked
def test_an_empty_promise_is_found_out(api: APIClient, stage: Stage, row: Any) -> None:
    stage.outlive_revocations()
    job = stage.end(api, row)
    assert job
    assert (job.state, job.verification) == ("pending", "still_alive")
    # Once it keeps its word, that is seen.
    stage.open()
    assert tried_again() == ["revoked"]
    assert RevocationJob.objects.get().verification == "verified_dead"


@only_dead_already
def test_a_token_dead_already_counts_as_revoked(api: APIClient, stage: Stage, row: Any) -> None:
    for answer in stage.recording.revoked_already:
        stage.server.on(*stage.revokes_at, answer)
        job = stage.end(api, row)
        assert job
        assert (job.state, job.verification) == ("revoked", "verified_dead")


@only_revoked
def test_a_failed_revocation_is_tried_again(api: APIClient, stage: Stage, row: Any) -> None:
    faults = [*PASSING.values(), *stage.recording.unrevoked]
    stage.server.on(*stage.revokes_at, faults[0])
    job = stage.end(api, row)
    assert job
    assert (job.state, job.verification) == ("pending", "")
    for fault in faults[1:]:
        stage.server.on(*stage.revokes_at, fault)
        assert tried_again() == ["pending"]
    stage.server.on(*stage.revokes_at, stage.recording.revoked)
    assert tried_again() == ["revoked"]
