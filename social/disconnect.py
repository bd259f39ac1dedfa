"""Disconnect a social account: out of use at once, its tokens kept, and nothing sent anywhere.

An operator can also have the grant revoked and the tokens erased.
"""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Action
from audit.record import Origin
from connections_project.connections.errors import AlreadyDisconnectedError
from connections_project.connections.records import record_about
from connections_project.core.parsing import render_datetime
from connections_project.revocation.grants import has_holders
from connections_project.revocation.models import GrantHold
from connections_project.revocation.release import Decision, release_grant
from social.models import SocialAccount
from social.selectors import team_account


def disconnect_own(*, account_id: UUID, team_id: UUID, origin: Origin) -> SocialAccount:
    """Disconnect a team's own account; not to be repeated (Social Media Disconnect API).

    Raises:
        ConnectionNotFoundError: Unknown, or another team's.
        AlreadyDisconnectedError: It is inactive already.
    """
    with transaction.atomic():
        rows = SocialAccount.objects.select_for_update()
        account = team_account(account_id, team_id=team_id, rows=rows)
        if not account.is_active:
            raise AlreadyDisconnectedError
        disconnect(account, origin=origin)
    return account


def disconnect(
    account: SocialAccount, *, origin: Origin, revoke: bool = False, erase: bool = False
) -> Decision:
    """End an active account that the caller has locked, in the caller's transaction.

    Args:
        account: The locked row.
        origin: Who does it.
        revoke: Have the platform told, where that ends nobody else's connection. The tokens then
            move to the revoker, so that none is left behind once the platform has forgotten it.
        erase: Erase the tokens here, whatever becomes of them there.

    Returns:
        What was decided about telling the platform; the audit log has it too.
    """
    decision = _release(account, origin=origin, revoke=revoke)
    now = timezone.now()
    account.disconnect(now=now)
    account.save()
    record_about(
        account,
        Action.ACCOUNT_DISCONNECTED,
        origin=origin,
        accountName=account.platform_account_name,
        success=True,
        disconnectedAt=render_datetime(now),
    )
    if decision is not Decision.PENDING:
        record_about(account, Action.TOKEN_REVOCATION_SKIPPED, origin=origin, result=decision)
    if erase or decision is Decision.PENDING:
        erase_kept_tokens(account, origin=origin)
    return decision


def erase_kept_tokens(account: SocialAccount, *, origin: Origin) -> None:
    """Erase the tokens of a disconnected account that the caller has locked."""
    if account.auth_state is None:
        return
    account.erase_tokens(now=timezone.now())
    account.save()
    record_about(account, Action.ACCOUNT_TOKENS_ERASED, origin=origin)


def _release(account: SocialAccount, *, origin: Origin, revoke: bool) -> Decision:
    if revoke and _shares_its_tokens(account):
        release_grant(account.token_bundle(), origin=origin, revoke=False)
        return Decision.SHARED_GRANT
    return release_grant(account.token_bundle(), origin=origin, revoke=revoke)


def _shares_its_tokens(account: SocialAccount) -> bool:
    """Whether another live account has the same tokens, which a revocation would end."""
    if account.token_set is None:
        return False
    # Locks all holders in one order, so that of two that leave at once the second is the last.
    has_holders(account.grant, besides=account.pk, lock=True)
    same = SocialAccount.objects.filter(token_set=account.token_set).exclude(pk=account.pk)
    return GrantHold.objects.filter(connection_id__in=same.values("pk")).exists()
