"""Which bucket a request of this app draws on: the key's, or the principal's."""

from rest_framework.request import Request

from connections_project.api.rate_limits import PROVIDER_CONNECT, SOCIAL_READ, SOCIAL_WRITE
from connections_project.connections.throttling import Limit
from connections_project.identity.callers import caller_of


def reading(request: Request) -> Limit:
    return SOCIAL_READ, str(caller_of(request).principal_id)


def writing(request: Request) -> Limit:
    return SOCIAL_WRITE, str(caller_of(request).principal_id)


def connecting(request: Request) -> Limit:
    return PROVIDER_CONNECT, str(caller_of(request).principal_id)
