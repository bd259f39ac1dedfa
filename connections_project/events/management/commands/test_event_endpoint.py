"""`manage.py test_event_endpoint`: send an event of type `endpoint.test`."""

from typing import Any

from django.core.management.base import CommandError

from connections_project.events.attempts import attempt
from connections_project.events.claims import claim_one
from connections_project.events.endpoint_command import EndpointCommand
from connections_project.events.endpoints import write_test
from connections_project.events.models import Delivery, DeliveryState, Endpoint


class Command(EndpointCommand):
    help = "Send an event of type endpoint.test to an endpoint now, and tell what it answered."
    examples = """
examples:
  manage.py test_event_endpoint 01890a5d-ac96-774b-bcce-b302099a8057
  manage.py test_event_endpoint 01890a5d-ac96-774b-bcce-b302099a8057 --json
"""

    def act(self, endpoint: Endpoint, **options: Any) -> None:
        if not endpoint.is_enabled:
            raise CommandError(f"{endpoint.pk} is disabled.")
        delivery_id = write_test(endpoint)
        chain = claim_one(delivery_id)
        if chain is not None:
            attempt(chain)
        delivery = Delivery.objects.get(pk=delivery_id)
        if delivery.state != DeliveryState.DELIVERED:
            raise CommandError(f"It was not taken: {delivery.last_error or 'a worker tries it'}.")
        told = f"Delivered: the endpoint answered {delivery.status_code}."
        known = {"id": str(endpoint.pk), "status_code": delivery.status_code}
        self.report(told, known, as_json=options["json"])
