"""Who is signed in at a request."""

from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from connections_project.identity.models import User


def signed_in(request: Request | HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def principal_of(request: Request) -> User:
    """Return the principal of a request that needs one.

    Raises:
        NotAuthenticated: Nobody is signed in.
    """
    user = signed_in(request)
    if user is None:
        raise NotAuthenticated
    return user
