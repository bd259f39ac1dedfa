"""Google's security events (RISC): tokens by which Google reports that a grant is over.

Source: developers.google.com/identity/protocols/risc; RFC 8417 (the token), RFC 8935 (its way).
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from connections_project.webhooks.errors import RefusedNoticeError, SecurityEventErrors
from connections_project.webhooks.event_tokens import Expected, parse, verify
from connections_project.webhooks.notices import Notice, digest_of, from_epoch
from connections_project.webhooks.sender import WebhookSender
from connections_project.webhooks.signing_keys import Configuration, configuration_of, key_of
from connections_project.webhooks.subjects import Sender, of_senders, senders

SENDER = "google_risc"
_SCHEMAS = "https://schemas.openid.net/secevent"
# After these the tokens are dead. The others advise to look at the user's own sessions with us,
# which Google knows nothing of: they are taken, and end no connection.
ENDS_THE_GRANT = frozenset(
    {
        f"{_SCHEMAS}/oauth/event-type/token-revoked",
        f"{_SCHEMAS}/oauth/event-type/tokens-revoked",
        f"{_SCHEMAS}/risc/event-type/account-disabled",
    }
)
_COLUMNS = {"prefix": "refresh_token_prefix", "hash_base64_sha512_sha512": "refresh_token_hash"}


def read(request: HttpRequest) -> Notice:
    """Verify a security event token and read it. One that ends no grant speaks of nobody.

    Args:
        request: Its body is the token.

    Raises:
        RefusedNoticeError: Malformed, unsigned, of another issuer or for another audience.
        KeysUnavailableError: Google's keys can't be had.
    """
    notifiers = senders(SENDER)
    if not notifiers:
        raise RefusedNoticeError("invalid_audience", "No client of ours receives such events.")
    token = parse(request.body, algorithms=["RS256"])
    # All platforms of this kind are one company's: its configuration is the same.
    google = configuration_of(notifiers[0].configuration)
    claims = verify(token, _expected(notifiers, google))
    return Notice(
        SENDER,
        digest_of(SENDER, str(claims["jti"])),
        from_epoch(claims["iat"]),
        of_senders(notifiers, **_names(claims.get("events"))),
    )


def _expected(notifiers: list[Sender], google: Configuration) -> Expected:
    return Expected(
        issuer=google.issuer,
        audiences=[one.client_id for one in notifiers],
        find_key=lambda token: key_of(google, str(token.kid)),
        # For `iat`: Google's clock may be ahead of ours.
        leeway=settings.CLOCK_LEEWAY,
        bad_signature="authentication_failed",
    )


def _names(events: object) -> dict[str, str]:
    """Return the columns by which the events name connections."""
    if not isinstance(events, Mapping):
        return {}
    named: dict[str, str] = {}
    for kind, event in events.items():
        subject = event.get("subject") if isinstance(event, Mapping) else None
        if kind in ENDS_THE_GRANT and isinstance(subject, Mapping):
            named |= _name(subject)
    return named


def _name(subject: Mapping[str, Any]) -> dict[str, str]:
    if subject.get("subject_type") == "oauth_token":
        column = _COLUMNS.get(str(subject.get("token_identifier_alg")))
        return {column: str(subject.get("token", ""))} if column else {}
    return {"granting_user_id": str(subject.get("sub", ""))}


sender = WebhookSender(
    read=read,
    deauthorize_path="google-risc",
    # RFC 8935, section 2.2.
    accepted_status=202,
    errors=SecurityEventErrors(),
)
