"""The authorization code flow (RFC 6749, section 4.1) up to the tokens, the same in every app.

What becomes of the tokens is each app's own.
"""

import hashlib
import hmac
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache

from connections_project.connections.errors import (
    AuthorizationDeclinedError,
    InvalidStateError,
    IssuerMismatchError,
    UnregisteredRedirectError,
)
from connections_project.core import clock, vault
from connections_project.identity.models import ApiKey, PrincipalType, User
from connections_project.oauth import client, pkce
from connections_project.oauth.client import TokenSet
from connections_project.oauth.state import StateStore, new_state
from connections_project.platforms import client as platforms
from connections_project.platforms.registry import Upstream, connectable

logger = logging.getLogger(__name__)


def state_store(prefix: str) -> StateStore:
    """Return a store in the shared cache whose keys begin with a prefix of their own."""
    return StateStore(
        cache,
        seal=lambda data, subject: vault.seal(data, subject=subject).ciphertext,
        open_text=lambda text, subject: vault.open_sealed(vault.Sealed(text), subject=subject),
        unreadable=vault.DecryptionError,
        prefix=prefix,
        now=lambda: clock.now().timestamp(),
    )


states = state_store("state")


@dataclass(frozen=True)
class Authorization:
    """Where the user's browser is sent, and what will come back with it."""

    authorization_url: str = field(repr=False)
    state: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True)
class Answer:
    """The authorization response's parameters (RFC 6749, section 4.1.2; RFC 9207)."""

    code: str | None = field(repr=False)
    error: str | None = None
    iss: str | None = None


@dataclass(frozen=True)
class Return:
    """Where the callback page sends the browser on, once a flow is over.

    Args:
        url: The address; the outcome is added to its query.
        by_link: Whether the person came by a link and is signed in nowhere, so that whoever else is
            signed in in the same browser has nothing to do with it.
        link_made_by: The principal who asked for that link.
    """

    url: str
    by_link: bool = False
    link_made_by: UUID | None = None


@dataclass(frozen=True)
class Flow:
    """A flow under way; whoever gets it by `take` is the only one that goes on with it."""

    app: str
    slug: str
    principal_id: UUID
    redirect_uri: str
    code_verifier: str | None = field(repr=False)
    details: dict[str, Any]
    started_at: datetime = field(default_factory=clock.now)
    link_made_by: UUID | None = None

    @property
    def has_good_link(self) -> bool:
        """Whether the link by which the person came, if any, would still open the page."""
        if self.link_made_by is None:
            return True
        maker = User.objects.filter(pk=self.link_made_by).first()
        return maker is not None and maker.still_opens_page_of(
            self.principal_id, since=self.started_at
        )


def begin(
    *,
    app: str,
    slug: str,
    principal: User | ApiKey,
    redirect_uri: str | None,
    browser: str,
    details: dict[str, Any],
    returns: Return | None = None,
) -> Authorization:
    """Start a flow; nothing is written but the state, in the cache.

    Args:
        app: Whose platform it must be.
        principal: Who connects: a user, or a program by its team's key.
        redirect_uri: One of the registered ones; None for the first.
        browser: The cookie's value that ties the flow to the browser it was started in.
        details: What the app wants back with the flow; JSON.
        returns: Where the callback page goes on to; None where it says itself what happened.

    Raises:
        UnknownPlatformError, PlatformUnavailableError: See `connectable`.
        UnregisteredRedirectError: The redirect URI is not exactly one of those registered.
        StateStoreUnavailable: The cache is away.
    """
    upstream = connectable(app, slug)
    registered, verifier = _registered(upstream, redirect_uri), _verifier(upstream)
    started = Flow(app, slug, principal.pk, registered, verifier, details)
    state = new_state()
    remembered = _remembered(started, browser, principal) | _returning(returns)
    states.put(state, remembered, seconds=settings.OAUTH_STATE_SECONDS)
    url = _authorization_url(started, upstream, state=state)
    return Authorization(url, state, settings.OAUTH_STATE_SECONDS)


def _verifier(upstream: Upstream) -> str | None:
    uses_pkce = upstream.platform.code_challenge_method == "S256"
    return pkce.new_verifier() if uses_pkce else None


def _remembered(started: Flow, browser: str, principal: User | ApiKey) -> dict[str, Any]:
    return {
        "app": started.app,
        "slug": started.slug,
        "principal_id": str(started.principal_id),
        "principal_type": str(principal.principal_type),
        "redirect_uri": started.redirect_uri,
        "code_verifier": started.code_verifier,
        "browser": fingerprint(browser),
        "details": started.details,
        "started_at": started.started_at.timestamp(),
    }


def _returning(returns: Return | None) -> dict[str, Any]:
    if returns is None:
        return {}
    maker = returns.link_made_by and str(returns.link_made_by)
    return {"return_url": returns.url, "by_link": returns.by_link, "link_made_by": maker}


def _authorization_url(started: Flow, upstream: Upstream, *, state: str) -> str:
    verifier = started.code_verifier
    return client.authorization_url(
        upstream.platform,
        upstream.registration,
        redirect_uri=started.redirect_uri,
        state=state,
        code_challenge=pkce.challenge(verifier) if verifier else None,
    )


def _registered(upstream: Upstream, redirect_uri: str | None) -> str:
    """Compare by plain equality (RFC 9700, section 2.1)."""
    registered = upstream.registration.redirect_uris
    if redirect_uri is None:
        return registered[0]
    if redirect_uri not in registered:
        raise UnregisteredRedirectError
    return redirect_uri


def fingerprint(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()


@dataclass(frozen=True)
class FlowPreview:
    """What may be known of a state without taking it."""

    app: str
    slug: str
    principal_id: UUID
    principal_type: str
    browser: str
    returns: Return | None = None

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "FlowPreview":
        return cls(
            app=found["app"],
            slug=found["slug"],
            principal_id=UUID(found["principal_id"]),
            # A flow that an earlier release started has none.
            principal_type=found.get("principal_type", PrincipalType.USER),
            browser=found["browser"],
            returns=_return(found),
        )

    def as_json(self) -> dict[str, Any]:
        known = {name: value for name, value in vars(self).items() if name != "returns"}
        return {**known, "principal_id": str(self.principal_id), **_returning(self.returns)}

    def was_started_in(self, browser: str | None) -> bool:
        """Whether the flow was started in the browser that bears this cookie."""
        return browser is not None and hmac.compare_digest(self.browser, fingerprint(browser))


def _return(found: dict[str, Any]) -> Return | None:
    url = found.get("return_url")
    return Return(url, found["by_link"], _link_made_by(found)) if url else None


def _link_made_by(found: dict[str, Any]) -> UUID | None:
    # A flow that an earlier release started doesn't say.
    maker = found.get("link_made_by")
    return UUID(maker) if maker else None


def peek(state: str) -> FlowPreview | None:
    """Return a preview of a state's flow, without consuming it.

    Raises:
        StateStoreUnavailable: The cache is away.
    """
    found = states.peek(state)
    return FlowPreview.from_json(found) if found else None


def consume(*, app: str, state: str) -> Flow:
    """Consume a state: of two callbacks with the same one, exactly one succeeds.

    Raises:
        InvalidStateError: Unknown, expired, used, or started for another app.
        StateStoreUnavailable: The cache is away.
    """
    found = states.consume(state)
    if found is None:
        raise InvalidStateError(was_used=True)
    if found["app"] != app:
        raise InvalidStateError
    return Flow(
        app=app,
        slug=found["slug"],
        principal_id=UUID(found["principal_id"]),
        redirect_uri=found["redirect_uri"],
        code_verifier=found["code_verifier"],
        details=found["details"],
        # A flow that an earlier release started has none, and so may be older than anything.
        started_at=datetime.fromtimestamp(found.get("started_at", 0), UTC),
        link_made_by=_link_made_by(found),
    )


def check(flow: Flow, answer: Answer) -> Upstream:
    """Check the platform's authorization response, before anything is sent to it.

    Raises:
        UnknownPlatformError, PlatformUnavailableError: See `connectable`; suspended meanwhile.
        AuthorizationDeclinedError: RFC 6749, section 4.1.2.1.
        IssuerMismatchError: RFC 9207, section 2.4.
    """
    upstream = connectable(flow.app, flow.slug)
    if answer.error is not None or answer.code is None:
        raise AuthorizationDeclinedError
    _check_issuer(upstream, answer.iss)
    return upstream


def _check_issuer(upstream: Upstream, iss: str | None) -> None:
    platform = upstream.platform
    if iss is None:
        if platform.authorization_response_iss_parameter_supported:
            raise IssuerMismatchError
    elif not platform.issuer:
        logger.warning("%s sends an issuer, and its catalogue entry names none", platform.slug)
    elif iss != platform.issuer:
        raise IssuerMismatchError


def exchange(flow: Flow, upstream: Upstream, *, code: str) -> TokenSet:
    """Exchange the code for tokens (RFC 6749, section 4.1.3).

    Raises:
        UnusableTokensError, PlatformError: See `oauth.client.exchange_code`.
    """
    return platforms.exchange_code(
        upstream, code=code, redirect_uri=flow.redirect_uri, code_verifier=flow.code_verifier
    )
