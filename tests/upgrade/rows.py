"""At least one row of every model, written by the code as it stands."""

from uuid import UUID

from django.utils import timezone

from channels.models import PublishEvent
from connections_project.core.ids import uuid7
from connections_project.identity import second_factor, sessions
from connections_project.identity.keys import create_key
from connections_project.identity.models import Scope, User
from connections_project.identity.origins import command_origin
from connections_project.metrics.models import TableMetrics
from connections_project.operations.models import BulkItem, BulkJob
from connections_project.platforms.models import Suspension
from connections_project.revocation.models import Circuit, OpenQuestion, PostCircuit
from connections_project.scim.models import ScimProfile, ScimToken
from connections_project.webhooks.models import DataDeletion, HandledNotice
from providers.models import Account, Transaction
from social.models import Publication
from tests.support.audit_tampering import record_events, seal
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.provider_rows import connection_of
from tests.support.revocation_jobs import make_jobs
from tests.support.social_rows import account_of

PASSWORD = "correct horse battery staple"
PLATFORMS = {"providers": "monzo", "channels": "linkedin", "social": "threads"}


def make_rows() -> str:
    """Fill an empty database.

    Returns:
        The API key among the rows.
    """
    owner = User.objects.create_user("owner@example.com", PASSWORD)
    operator = User.objects.create_user("operator@example.com", PASSWORD, is_staff=True)
    second_factor.enrol(operator)
    sessions.begin(owner)
    origin = command_origin(None)
    key = create_key(team=owner.own_team, scopes=Scope.values, origin=origin)
    _providers(owner)
    _channels(owner)
    _social(owner)
    _revocations()
    _operations(operator.pk)
    _directory()
    _audit_log(owner.pk)
    return key.text


def _providers(owner: User) -> None:
    now = timezone.now()
    connection = connection_of(owner, slug=PLATFORMS["providers"])
    connection_of(owner, slug=PLATFORMS["providers"], status="disconnected")
    times = {"created_at": now, "updated_at": now}
    account = Account.objects.create(
        connection=connection, platform_account_id="acc-1", balance="12345678901234567.89", **times
    )
    Transaction.objects.create(
        account=account, platform_transaction_id="tx-1", posted_at=now, amount="-0.000000000001"
    )


def _channels(owner: User) -> None:
    channel = channel_of(owner, channel=PLATFORMS["channels"])
    schedule_of(channel)
    published = schedule_of(channel, status="published", published_at=timezone.now())
    PublishEvent.objects.create(
        schedule=published,
        channel_connection=channel,
        outcome="published",
        platform_post_id="post-1",
        occurred_at=timezone.now(),
    )


def _social(owner: User) -> None:
    account_of(owner.own_team, platform=PLATFORMS["social"])
    account_of(owner.own_team, platform=PLATFORMS["social"], status="disconnected", account_id="8")
    Publication.objects.create(
        team=owner.own_team,
        idempotency_key="key-1",
        request_sha256="0" * 64,
        state="published",
        post_id="post-2",
        created_at=timezone.now(),
    )


def _revocations() -> None:
    make_jobs(PLATFORMS["providers"], "refresh-1", "refresh-2")
    (job,) = make_jobs(PLATFORMS["channels"], "refresh-3")
    job.state, job.sealed_tokens, job.finished_at = "revoked", None, timezone.now()
    job.save()
    now = timezone.now()
    Circuit.objects.create(platform=PLATFORMS["providers"], faults=3, blocked_until=now)
    PostCircuit.objects.create(platform=PLATFORMS["channels"], faults=3, blocked_until=now)
    OpenQuestion.objects.create(app="providers", connection_id=uuid7(), created_at=now)


def _operations(operator_id: UUID) -> None:
    job = BulkJob.objects.create(
        app="providers",
        state="queued",
        reason="offboarding",
        requested_by=operator_id,
        interface="admin",
        client_address="192.0.2.7",
        trace_id=uuid7().hex,
        total=1,
    )
    BulkItem.objects.create(job=job, connection_id=uuid7())
    now = timezone.now()
    Suspension.objects.create(slug="chase", reason="incident", suspended_at=now)
    HandledNotice.objects.create(digest="1" * 64, sender="meta")
    DataDeletion.objects.create(confirmation_code="code-1", notice_digest="2" * 64, connections=1)
    TableMetrics.objects.create(claimed_at=now, counted_at=now, metrics={"a": [1]})


def _directory() -> None:
    issuer = "https://id.example.com"
    ScimToken.objects.create(name="hr", issuer=issuer, prefix="scim_1", secret_sha256="3" * 64)
    kim = User.objects.create(issuer=issuer, subject="kim", email=None)
    ScimProfile.objects.create(
        user=kim, issuer=issuer, user_name="Kim", user_name_key="kim", external_id="kim"
    )


def _audit_log(owner_id: UUID) -> None:
    record_events(3, owner=owner_id)
    seal()
    record_events(1, owner=owner_id)
