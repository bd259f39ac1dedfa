"""The sign-in page, for people who come by browser."""

from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.forms import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from connections_project.core.languages import localized
from connections_project.identity import sign_in
from connections_project.identity.hashing import HashingBusyError
from connections_project.identity.known_browsers import remember_browser
from connections_project.identity.login_attempts import TooManyAttemptsError
from connections_project.identity.models import User

LOCAL_BACKEND = "connections_project.identity.backends.PrincipalBackend"


class SignInForm(AuthenticationForm):
    """E-mail and password, judged by the same verb as the API's."""

    # Where it is not the credentials that are refused: the answer's status, and when to come again.
    status, retry_after = 200, 0
    refused: Any = _("This e-mail address and password don't match.")

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password and self.request is not None:
            self.user_cache = self._authenticated(self.request, email, password)
            # Django asks for it where there is more than one backend.
            self.user_cache.backend = LOCAL_BACKEND
        return self.cleaned_data

    def _authenticated(self, request: HttpRequest, email: str, password: str) -> User:
        try:
            return self.verified(request, email, password)
        except sign_in.BadCredentialsError:
            raise ValidationError(self.refused) from None
        except TooManyAttemptsError as error:
            self.status, self.retry_after = 429, error.retry_after
            raise ValidationError(_("Too many tries. Please wait a while.")) from None
        except HashingBusyError as error:
            self.status, self.retry_after = 503, error.retry_after
            raise ValidationError(_("Too many are signing in. Please try again.")) from None

    def verified(self, request: HttpRequest, email: str, password: str) -> User:
        """Check the credentials.

        Raises:
            BadCredentialsError, TooManyAttemptsError, HashingBusyError: See `sign_in.authenticate`.
        """
        return sign_in.authenticate(request, email=email, password=password, further=_may_enter)


def _may_enter(user: User) -> str:
    """Keep people out whose way in is an external issuer's."""
    return "" if settings.LOCAL_LOGIN or user.is_staff else "no_operator"


@method_decorator(localized, name="dispatch")
class SignInView(LoginView):
    """Signs a person in and goes on to `next`, if that is an address of this service."""

    template_name = "identity/sign_in.html"
    authentication_form = SignInForm

    def get_default_redirect_url(self) -> str:
        return reverse("sign-in")

    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(*args, **kwargs)
        # Under `no-referrer` a browser posts this form with `Origin: null` (Fetch Standard, section
        # 3.2.5), which the CSRF guard refuses; `same-origin` reveals as little to other hosts.
        response["Referrer-Policy"] = "same-origin"
        return response

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        remember_browser(response, email=form.get_user().email)
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        set_status(response, form)
        return response


def set_status(response: HttpResponse, form: Any) -> None:
    """Set the status with which a form was refused, and when to come again."""
    if isinstance(form, SignInForm) and form.retry_after:
        response.status_code = form.status
        response["Retry-After"] = str(form.retry_after)
