"""The backend that Django asks at the end of a single sign-on, and with each request after it."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from connections_project.identity.models import User
from connections_project.identity.single_sign_on import provider
from connections_project.identity.single_sign_on.rights import RefusedError, let_in
from connections_project.middleware.trusted_proxies import client_address

_LIBRARY_SETTINGS = {
    "OIDC_AUTHENTICATION_CALLBACK_URL": "operators-sso-callback",
    "OIDC_USE_PKCE": True,
    "OIDC_USE_NONCE": True,
}


def library_setting(name: str, *default: Any) -> Any:
    """Return what the library would read from settings of its own."""
    return _LIBRARY_SETTINGS.get(name, *default)


class SingleSignOnBackend(OIDCAuthenticationBackend):  # type: ignore[misc]
    """Asks the provider; permissions are looked up by the other backend."""

    get_settings = staticmethod(library_setting)

    def __init__(self) -> None:
        # The library reads endpoints from settings; ours stand in the provider's metadata.
        self.UserModel = User
        if settings.ADMIN_OIDC:
            self.OIDC_RP_CLIENT_ID = settings.ADMIN_OIDC.client_id
            self.OIDC_RP_CLIENT_SECRET = settings.ADMIN_OIDC.client_secret

    def authenticate(self, request: HttpRequest | None, **kwargs: Any) -> User | None:
        """Return the operator whom a callback brings; None for any other way to sign in.

        Raises:
            RefusedError, BadIdTokenError, ProviderUnavailableError: Nobody is let in.
        """
        if not settings.ADMIN_OIDC or not kwargs.get("nonce"):
            return None
        user: User | None = super().authenticate(request, **kwargs)
        return user

    def get_token(self, payload: dict[str, str]) -> Mapping[str, Any]:
        hidden = ("client_id", "client_secret")
        form = {name: value for name, value in payload.items() if name not in hidden}
        # Not what the Host header says: the provider knows us by one address.
        return provider.exchange({**form, "redirect_uri": redirect_uri()})

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        return provider.id_token_claims(token, nonce=kwargs["nonce"])

    def get_or_create_user(
        self,
        access_token: str,
        id_token: str,  # noqa: ARG002 - as its base.
        payload: dict[str, Any],
    ) -> User:
        claims = payload
        if provider.single_sign_on().groups_claim not in payload and access_token:
            # OpenID Connect Core, section 5.4: that may be the only place for it.
            userinfo = provider.userinfo(access_token)
            if userinfo and userinfo.get("sub") != payload["sub"]:
                raise RefusedError("bad_subject")
            claims = {**userinfo, **payload}
        return let_in(claims, address=client_address(self.request))

    def get_user(self, user_id: Any) -> User | None:
        """Return whose session it is, as long as that is an active operator of the provider."""
        if not settings.ADMIN_OIDC:
            return None
        operators = User.objects.filter(is_active=True, is_staff=True)
        return operators.filter(pk=user_id, issuer=settings.ADMIN_OIDC.issuer).first()

    def has_perm(self, *_: Any, **__: Any) -> bool:
        return False

    def has_module_perms(self, *_: Any, **__: Any) -> bool:
        return False


def redirect_uri() -> str:
    """Return the address that is to be registered at the provider."""
    return f"{settings.PUBLIC_URL}/admin/sso/callback"
