"""What operators can do with an endpoint or a delivery, after a question."""

from django.http import HttpRequest

from connections_project.admin.object_actions import ObjectAction, QuestionForm
from connections_project.events.endpoints import disable, enable, write_test
from connections_project.events.forms import SpanForm
from connections_project.events.models import Delivery, DeliveryState, Endpoint
from connections_project.events.replay import replay, resend
from connections_project.events.worker import deliver_new
from connections_project.identity.origins import admin_origin

CHANGE = "events.change_endpoint"
RESEND = "events.change_delivery"
TEST_SECONDS = 5.0


def _disable(request: HttpRequest, endpoint: Endpoint, reason: str) -> str:
    disable(endpoint, reason=reason, origin=admin_origin(request))
    return "Nothing more is sent to it. What is pending stays, and is sent once it is enabled."


def _enable(request: HttpRequest, endpoint: Endpoint, reason: str) -> str:
    enable(endpoint, reason=reason, origin=admin_origin(request))
    return "It is told again. What happened meanwhile was not written for it."


def _test(_request: HttpRequest, endpoint: Endpoint, _reason: str) -> str:
    delivery_id = write_test(endpoint)
    deliver_new([endpoint.pk], within=TEST_SECONDS)
    delivery = Delivery.objects.get(pk=delivery_id)
    if delivery.state == DeliveryState.DELIVERED:
        return f"It took the test event, and answered {delivery.status_code}."
    return f"It did not take the test event: {delivery.last_error or 'others are under way'}."


def _replay(request: HttpRequest, endpoint: Endpoint, _reason: str) -> str:
    form = SpanForm(request.POST)
    form.full_clean()
    number = replay(endpoint, **form.cleaned_data, origin=admin_origin(request))
    return f"{number} events are due again."


def _resend(request: HttpRequest, delivery: Delivery, _reason: str) -> str:
    number = resend([delivery.pk], origin=admin_origin(request))
    return "It is due now." if number else "It is being tried just now."


ENDPOINT_ACTIONS = (
    ObjectAction(
        name="test",
        label="Send a test event",
        permission=CHANGE,
        question="An event of type endpoint.test is sent now.",
        do=_test,
        applies=lambda one: one.is_enabled,
        form=QuestionForm,
    ),
    ObjectAction(
        name="replay",
        label="Replay a span",
        permission=CHANGE,
        question="The events of the span are delivered once more, with the same ids.",
        do=_replay,
        form=SpanForm,
    ),
    ObjectAction(
        name="enable",
        label="Enable",
        permission=CHANGE,
        question="It is told of what happens from now on, and of what is still pending.",
        do=_enable,
        applies=lambda one: not one.is_enabled,
    ),
    ObjectAction(
        name="disable",
        label="Disable",
        permission=CHANGE,
        question="Nothing more is sent to it, nor written for it.",
        do=_disable,
        applies=lambda one: one.is_enabled,
        is_destructive=True,
    ),
)

DELIVERY_ACTIONS = (
    ObjectAction(
        name="resend",
        label="Send again",
        permission=RESEND,
        question="It is tried as soon as a worker is free, also where it was taken before.",
        do=_resend,
        form=QuestionForm,
    ),
)
