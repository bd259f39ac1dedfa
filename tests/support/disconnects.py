"""Disconnect one connection by its app's own function, as operators and owners have it done."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction

from audit.events import Action
from audit.models import AuditEvent
from audit.record import Origin
from channels.disconnect import disconnect as disconnect_channels
from connections_project.connections.disconnect import DisconnectRequest, DisconnectResult
from connections_project.connections.models import OAuthConnection
from connections_project.identity.origins import command_origin
from connections_project.revocation.dispatch import dispatch_revocations
from connections_project.revocation.models import RevocationJob
from providers.disconnect import disconnect as disconnect_providers
from social.disconnect import disconnect as disconnect_accounts

Disconnect = Callable[[Sequence[Any], DisconnectRequest], DisconnectResult]
BY_APP: Mapping[str, Disconnect] = {
    "providers": disconnect_providers,
    "channels": disconnect_channels,
    "social": disconnect_accounts,
}


def disconnect_one(row: OAuthConnection, *, origin: Origin | None = None, **how: Any) -> str:
    """Lock a row and disconnect it.

    Returns:
        What was decided about telling its platform, as the database has it.
    """
    request = DisconnectRequest(origin or command_origin(None), **how)
    with transaction.atomic():
        locked = type(row)._default_manager.select_for_update().get(pk=row.pk)
        result = BY_APP[row.app]([locked], request)
        dispatch_revocations(result.job_ids, interface=request.origin.interface)
    if RevocationJob.objects.filter(pk__in=result.job_ids).exists():
        return "pending"
    skipped = AuditEvent.objects.filter(
        subject_id=row.pk, action=Action.TOKEN_REVOCATION_SKIPPED
    ).order_by("id")
    return str(skipped[0].details["result"]) if skipped else ""
