"""What a callback brings: the state, and the platform's answer (RFC 6749, section 4.1.2)."""

from django.http import QueryDict
from rest_framework.request import Request

from connections_project.api.serializers import required_parameters
from connections_project.connections.flow import Answer


def authorization_response(query: QueryDict) -> Answer:
    """Read what the platform says."""
    return Answer(query.get("code") or None, query.get("error") or None, query.get("iss"))


def state_and_answer(request: Request) -> tuple[str, Answer]:
    """Read both at once.

    Raises:
        FaultError: 400 that names what is missing: the state, or the code where there is no error.
    """
    answer = authorization_response(request.query_params)
    required_parameters(request, *(("state",) if answer.error else ("code", "state")))
    return request.query_params["state"], answer
