"""Who did it and through which interface, in the words of the audit log."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from rest_framework.request import Request

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.identity.models import ApiKey, User
from connections_project.middleware.trusted_proxies import client_address


def origin_of(request: Request | HttpRequest) -> Origin:
    """Describe a request by its principal.

    Args:
        request: A request of the API or of a page for people.
    """
    actor = _signed_in(request)
    if actor is None:
        return anonymous_origin(request)
    kind, for_team = ActorType(actor.principal_type), isinstance(actor, ApiKey)
    return Origin(kind, actor.pk, Interface.API, _address(request), for_team)


def anonymous_origin(request: Request | HttpRequest) -> Origin:
    """Describe a request of which nobody knows who sent it."""
    return Origin(ActorType.USER, None, Interface.API, client_address=_address(request))


def page_origin(request: HttpRequest, person: User | None) -> Origin:
    """Describe a request of the pages where people look after their connections.

    Args:
        person: Whose pages they are, if that is known.
    """
    return Origin(
        ActorType(person.principal_type) if person else ActorType.USER,
        person.pk if person else None,
        Interface.PAGE,
        client_address=_address(request),
    )


def admin_origin(request: HttpRequest) -> Origin:
    """Describe a request of the admin by its operator."""
    operator = _signed_in(request)
    return Origin(
        ActorType.OPERATOR,
        operator.pk if operator else None,
        Interface.ADMIN,
        client_address=_address(request),
    )


def command_origin(operator: User | None) -> Origin:
    """Describe a management command.

    Args:
        operator: Who says to run it; None where only the operating system knows.
    """
    return Origin(ActorType.OPERATOR, operator.pk if operator else None, Interface.COMMAND)


def _signed_in(request: Request | HttpRequest) -> Any:
    """Return who is signed in: a user, or a team's key; None for nobody."""
    user = request.user
    return None if isinstance(user, AnonymousUser) else user


def _address(request: Request | HttpRequest) -> str:
    return client_address(request._request if isinstance(request, Request) else request)
