"""What is asked of a platform: by its adapter where the catalogue leaves it to one, else by the
OAuth client."""

import time
from collections.abc import Callable, Collection
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

from connections_project.oauth import client
from connections_project.oauth.client import GrantResult, Identity, TokenSet
from connections_project.oauth.deadline import allowing
from connections_project.oauth.forgiving import forgiving
from connections_project.oauth.granted import distinct
from connections_project.oauth.observers import calling
from connections_project.oauth.revoking import SECONDS_A_TOKEN
from connections_project.platforms.adapter import adapter_of
from connections_project.platforms.registry import Upstream

F = TypeVar("F", bound=Callable[..., object])


def exchange_code(
    upstream: Upstream, *, code: str, redirect_uri: str, code_verifier: str | None
) -> TokenSet:
    """Exchange a code for tokens; see `oauth.client.exchange_code`.

    Raises:
        UnusableTokensError, PlatformError: See there.
    """
    with forgiving(upstream.platform.slug):
        return client.exchange_code(
            upstream.platform,
            upstream.registration,
            code=code,
            redirect_uri=redirect_uri,
            code_verifier=code_verifier,
        )


@calling("refresh")
def refresh(upstream: Upstream, tokens: TokenSet, *, within: float = 10.0) -> TokenSet:
    """Return fresh tokens (RFC 6749, section 6); see `oauth.client.refresh`.

    Args:
        tokens: The old ones; the adapters of some platforms need both of them.
        within: Seconds for all calls.

    Raises:
        DeadGrant: The platform says that the grant is over.
        PlatformError: Any other failure, which says nothing about the grant.
    """
    platform, registration = upstream.platform, upstream.registration
    with forgiving(upstream.platform.slug):
        if platform.refresh == "self_exchange":
            by_adapter = _required(adapter_of(platform).refresh, upstream)
            return by_adapter(upstream, tokens, within)
        token = tokens.refresh_token or ""
        return client.refresh(platform, registration, refresh_token=token, within=within)


@calling("revoke")
def revoke(
    upstream: Upstream,
    tokens: TokenSet,
    *,
    within: float = 10.0,
    accepted: Collection[str] = (),
    accept: Callable[[str], object] = lambda _: None,
) -> None:
    """Revoke these tokens at the platform; see `oauth.client.revoke`.

    Raises:
        PlatformError: A token may still be good.
    """
    platform, registration = upstream.platform, upstream.registration
    ends_at = time.monotonic() + within
    if platform.revocation is None or platform.revocation.kind != "adapter":
        client.revoke(
            platform, registration, tokens=tokens, within=within, accepted=accepted, accept=accept
        )
        revoke_extras(upstream, tokens, within=ends_at - time.monotonic())
    elif not accepted:
        _revoke_by_adapter(upstream, tokens, within=within)
        for name in platform.revocation.tokens:
            accept(name)


def _revoke_by_adapter(upstream: Upstream, tokens: TokenSet, *, within: float) -> None:
    by_adapter = _required(adapter_of(upstream.platform).revoke, upstream)
    with allowing(within=within, each=SECONDS_A_TOKEN):
        by_adapter(upstream, tokens, within)


@calling("revoke")
def revoke_extras(upstream: Upstream, tokens: TokenSet, *, within: float) -> None:
    """Revoke what came beside tokens, where there is such a thing; not these themselves.

    Raises:
        PlatformError: It may still be good.
    """
    by_adapter = adapter_of(upstream.platform).revoke_extras
    if by_adapter is not None and tokens.extras:
        by_adapter(upstream, tokens, min(within, SECONDS_A_TOKEN))


@calling("verify")
def is_alive(upstream: Upstream, token: str, hint: str, *, within: float) -> bool | None:
    """Whether a revoked token is still good; None where that can't be told.

    Args:
        upstream: The platform, whose catalogue entry says how it is asked.
        hint: "access_token" or "refresh_token"; the latter is only introspected.
        within: Seconds for all calls.

    Raises:
        PlatformError: A fault, which tells nothing of the token.
    """
    platform, registration = upstream.platform, upstream.registration
    verify = platform.revocation.verify if platform.revocation else "none"
    with forgiving(upstream.platform.slug):
        if verify == "introspection":
            return client.introspect(platform, registration, token=token, hint=hint, within=within)
        if verify != "identity" or hint != "access_token":
            return None
        by_adapter = adapter_of(platform).probe
        if by_adapter is not None:
            return client.is_accepted(by_adapter(upstream, token, within), platform)
        return client.accepts(platform, access_token=token, within=within)


@calling("identify")
def identify(upstream: Upstream, tokens: TokenSet) -> Identity:
    """Return whose account the tokens belong to; see `oauth.client.identify`.

    Raises:
        PlatformError: Refused, malformed or unreachable.
    """
    by_adapter = adapter_of(upstream.platform).identify
    with forgiving(upstream.platform.slug):
        if by_adapter is not None:
            return client.with_possible_ids(upstream.platform, by_adapter(upstream, tokens))
        return client.identify(upstream.platform, upstream.registration, tokens=tokens)


def granted_accounts(upstream: Upstream, tokens: TokenSet) -> GrantResult:
    """Return what a grant has brought: for which accounts, granted by whom.

    Raises:
        PlatformError: Refused, malformed or unreachable.
    """
    by_adapter = adapter_of(upstream.platform).granted_accounts
    with forgiving(upstream.platform.slug):
        if by_adapter is not None:
            return distinct(by_adapter(upstream, tokens))
        identity = identify(upstream, tokens)
        platform, registration = upstream.platform, upstream.registration
        return client.granted_accounts(platform, registration, tokens=tokens, identity=identity)


def _required(function: F | None, upstream: Upstream) -> F:
    if function is None:
        # A system check names it too; nothing may be taken for refreshed or revoked without it.
        raise ImproperlyConfigured(f"{upstream.platform.slug}: see `manage.py check`")
    return function
