"""How we prove to a platform who we are (RFC 6749, section 2.3)."""

import base64
from collections.abc import Mapping
from urllib.parse import quote_plus

from connections_project.oauth.catalog import Platform
from connections_project.oauth.tokens import ClientRegistration
from connections_project.oauth.transport import Request


def authenticated_form(
    platform: Platform, registration: ClientRegistration, *, url: str, form: Mapping[str, str]
) -> Request:
    """Return a form post with our credentials, authenticated as the platform wants."""
    if platform.token_endpoint_auth_method == "client_secret_basic":  # noqa: S105
        return Request("POST", url, headers=basic(registration), form=form)
    return Request("POST", url, form={**form, **in_body(platform, registration)})


def basic(registration: ClientRegistration) -> dict[str, str]:
    """Return the Basic header; id and secret are form-encoded first (section 2.3.1)."""
    pair = f"{quote_plus(registration.client_id)}:{quote_plus(registration.client_secret)}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def in_body(platform: Platform, registration: ClientRegistration) -> dict[str, str]:
    """Return our credentials as body parameters; a public client only names itself."""
    body = {platform.client_id_parameter: registration.client_id}
    if platform.token_endpoint_auth_method != "none":  # noqa: S105
        body["client_secret"] = registration.client_secret
    return body


def bearer(access_token: str) -> dict[str, str]:
    """Return the header of a call on a user's behalf (RFC 6750, section 2.1)."""
    return {"Authorization": f"Bearer {access_token}"}
