"""Sign-in by e-mail for whatever asks Django, such as the admin."""

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from connections_project.identity import sign_in
from connections_project.identity.hashing import HashingBusyError
from connections_project.identity.login_attempts import TooManyAttemptsError
from connections_project.identity.models import User


class PrincipalBackend(ModelBackend):
    """Asks the same verb as the API, so that no entry point allows faster guessing."""

    def user_can_authenticate(self, user: User | AnonymousUser | None) -> bool:
        """Whether a session stays good: of who is active, and of operators alone where nobody else
        signs in by password."""
        is_let_in = settings.LOCAL_LOGIN or getattr(user, "is_staff", False)
        return is_let_in and super().user_can_authenticate(user)

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> User | None:
        """Return the principal; None where the credentials are wrong.

        Raises:
            PermissionDenied: Too many failed before, or are signing in; Django then answers as to
                wrong credentials.
        """
        email = username or credentials.get("email")
        if not email or password is None:
            return None
        try:
            # Who calls from inside, without a request, is counted as coming from nowhere.
            return sign_in.authenticate(request or HttpRequest(), email=email, password=password)
        except sign_in.BadCredentialsError:
            return None
        except (TooManyAttemptsError, HashingBusyError) as error:
            raise PermissionDenied from error
