"""Bodies of requests and answers; the fields are those of the source document, no more."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from connections_project.api.fields import Flag, Reference, Text, identifier
from connections_project.api.serializers import PaginationAnswer
from connections_project.connections.serializers import RedirectUri
from connections_project.core.parsing import render_datetime
from connections_project.core.text import refuse_deceptive
from providers.models import Account, Connection, Status, Transaction
from providers.storing import Tally


@extend_schema_field({"type": "string", "format": "decimal", "pattern": r"^-?\d+\.\d{2,}$"})
class Money(serializers.CharField):
    """A decimal as text, since a JSON number would be read as binary floating point."""


class ConnectRequest(serializers.Serializer[Any]):
    provider_slug = Text(help_text="A slug from `GET /platforms?app=providers`.")
    alias = Text(
        max_length=100,
        required=False,
        allow_null=True,
        default=None,
        validators=[refuse_deceptive],
        help_text="The user's own name for the connection.",
    )
    redirect_uri = RedirectUri()
    connection_id = Reference(
        required=False,
        allow_null=True,
        default=None,
        validators=[identifier],
        help_text="An own connection that takes the new grant in place.",
    )


class RenameRequest(serializers.Serializer[Any]):
    alias = Text(
        max_length=100,
        allow_null=True,
        validators=[refuse_deceptive],
        help_text="Null takes the name away.",
    )


class SyncRequest(serializers.Serializer[Any]):
    connection_id = Reference(validators=[identifier], help_text="An own, active connection.")
    force = Flag(required=False, default=False, help_text="Also within 5 minutes of the last sync.")


class SyncAnswer(serializers.Serializer[Any]):
    created = serializers.IntegerField(help_text="Accounts that are new here.")
    updated = serializers.IntegerField(help_text="Accounts that differ from the last sync.")
    unchanged = serializers.IntegerField(help_text="Accounts that don't.")
    # DRF takes declared fields out of the class, so this hides nothing.
    errors = serializers.IntegerField(  # type: ignore[assignment]
        help_text="Accounts that could not be read whole."
    )
    message = serializers.CharField()


class RefreshAnswer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    message = serializers.CharField(help_text="`Token refreshed` or `Token still valid`.")
    expires_at = serializers.DateTimeField(
        allow_null=True, help_text="When the access token ends; null where that is not known."
    )


class DisconnectAnswer(serializers.Serializer[Any]):
    message = serializers.CharField()


class ConnectionAnswer(serializers.Serializer[Connection]):
    """A user's link to an account at a financial provider."""

    id = serializers.UUIDField()
    provider_slug = serializers.CharField(help_text="Which provider: `schwab`.")
    alias = serializers.CharField(allow_null=True, help_text="The user's own name for it.")
    status = serializers.ChoiceField(choices=Status.choices, help_text="Where it stands.")
    is_connected = serializers.BooleanField(help_text="Whether the status is `active`.")
    needs_reauthentication = serializers.BooleanField(
        help_text="Whether the user should connect again, giving this `connection_id`."
    )
    connected_at = serializers.DateTimeField(allow_null=True)
    last_sync_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def to_representation(self, instance: Connection) -> dict[str, Any]:
        # Written out by hand, since a list of them is a hot path.
        return {
            "id": str(instance.pk),
            "provider_slug": instance.provider_slug,
            "alias": instance.alias,
            "status": instance.status,
            "is_connected": instance.is_connected,
            "needs_reauthentication": instance.needs_reauthentication,
            "connected_at": instance.connected_at and render_datetime(instance.connected_at),
            "last_sync_at": instance.last_sync_at and render_datetime(instance.last_sync_at),
            "created_at": render_datetime(instance.created_at),
            "updated_at": render_datetime(instance.updated_at),
        }


class ConnectionListAnswer(serializers.Serializer[Any]):
    connections = ConnectionAnswer(many=True)
    total_count = serializers.IntegerField(help_text="All connections, whatever the filter.")
    active_count = serializers.IntegerField(help_text="The active ones, whatever the filter.")


class AccountAnswer(serializers.Serializer[Account]):
    id = serializers.UUIDField()
    connection_id = serializers.UUIDField()
    name = serializers.CharField()
    type = serializers.CharField()
    currency = serializers.CharField()
    balance = Money(allow_null=True, help_text="Null where the provider returns none.")
    updated_at = serializers.DateTimeField()

    def to_representation(self, instance: Account) -> dict[str, Any]:
        return {
            "id": str(instance.pk),
            "connection_id": str(instance.connection_id),
            "name": instance.name,
            "type": instance.type,
            "currency": instance.currency,
            "balance": None if instance.balance is None else money(instance.balance),
            "updated_at": render_datetime(instance.updated_at),
        }


class TransactionAnswer(serializers.Serializer[Transaction]):
    id = serializers.UUIDField()
    account_id = serializers.UUIDField()
    posted_at = serializers.DateTimeField()
    amount = Money(help_text="Negative where money left the account.")
    currency = serializers.CharField()
    description = serializers.CharField()

    def to_representation(self, instance: Transaction) -> dict[str, Any]:
        return {
            "id": str(instance.pk),
            "account_id": str(instance.account_id),
            "posted_at": render_datetime(instance.posted_at),
            "amount": money(instance.amount),
            "currency": instance.currency,
            "description": instance.description,
        }


class AccountPage(serializers.Serializer[Any]):
    data = AccountAnswer(many=True)  # type: ignore[assignment]
    pagination = PaginationAnswer()


class TransactionPage(serializers.Serializer[Any]):
    data = TransactionAnswer(many=True)  # type: ignore[assignment]
    pagination = PaginationAnswer()


def money(amount: Decimal) -> str:
    """Write an amount with at least two digits behind the point, and no more than it has."""
    whole, _, fraction = f"{amount:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def sync_answer(tally: Tally) -> dict[str, Any]:
    read = tally.created + tally.updated + tally.unchanged
    message = f"{read} account{'' if read == 1 else 's'} read" + (
        f", {tally.errors} with errors" if tally.errors else ""
    )
    return {
        "created": tally.created,
        "updated": tally.updated,
        "unchanged": tally.unchanged,
        "errors": tally.errors,
        "message": message,
    }
