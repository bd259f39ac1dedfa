"""Several replays of one span to one endpoint at the same moment."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from connections_project.events import audience, endpoints
from connections_project.events.models import Delivery, Endpoint
from connections_project.events.replay import replay
from connections_project.identity.origins import command_origin
from tests.races.conftest import at_once
from tests.support.admin_rows import outgoing_events

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

EVENTS = 200


@pytest.fixture
def endpoint(db: None, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    monkeypatch.setattr(audience, "KNOWN_SECONDS", 0.0)
    endpoint, _ = endpoints.create(url="https://example.com", origin=command_origin(None))
    # Nobody is there to take them.
    Endpoint.objects.filter(pk=endpoint.pk).update(blocked_until=timezone.now() + timedelta(days=1))
    return endpoint


def test_each_event_is_made_due_and_counted_once(endpoint: Endpoint) -> None:
    outgoing_events(EVENTS)
    since = timezone.now() - timedelta(minutes=1)
    again = partial(replay, endpoint, since=since, origin=command_origin(None))
    assert sorted(at_once([again] * 4)) == [0, 0, 0, EVENTS]
    assert Delivery.objects.filter(endpoint=endpoint).count() == EVENTS
