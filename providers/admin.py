"""Financial connections, their accounts and transactions, for operators to read."""

from django.contrib import admin
from django.utils.safestring import SafeString

from connections_project.admin.base import ReadOnlyAdmin
from connections_project.admin.filters import MADE
from connections_project.admin.formatting import format_datetime, link_to, short_id
from connections_project.connections.admin import ConnectionAdmin
from providers.models import Account, Connection, Transaction


@admin.register(Connection)
class ProviderConnectionAdmin(ConnectionAdmin):
    list_display = (*ConnectionAdmin.list_display[:-1], "synced", "at_platform")
    own_fields = ("alias", "last_sync_at")

    def synced(self, row: Connection) -> SafeString | str:
        return format_datetime(row.last_sync_at)

    synced.short_description = "last sync"  # type: ignore[attr-defined]


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Accounts as they were last read."""

    list_display = ("short_id", "name", "type", "currency", "read", "of_connection")
    list_filter = MADE
    list_select_related = ("connection",)
    id_columns = ("id", "connection_id")
    export_columns = ("id", "connection_id", "platform_account_id", "name", "type", "currency",
                      "balance", "created_at", "updated_at")  # fmt: skip
    search_help_text = "The account's or its connection's id"
    fields = ("id", "of_connection", "platform_account_id", "name", "type", "currency", "balance",
              "created_at", "updated_at")  # fmt: skip
    readonly_fields = fields

    def read(self, row: Account) -> SafeString | str:
        return format_datetime(row.updated_at)

    def of_connection(self, row: Account) -> SafeString | str:
        return link_to(row.connection, short_id(row.connection_id))

    of_connection.short_description = "connection"  # type: ignore[attr-defined]


@admin.register(Transaction)
class TransactionAdmin(ReadOnlyAdmin):
    """Movements on accounts."""

    list_display = ("short_id", "posted_at", "amount", "currency", "description", "of_account")
    list_select_related = ("account",)
    id_columns = ("id", "account_id")
    export_columns = ("id", "account_id", "platform_transaction_id", "posted_at", "amount",
                      "currency", "description")  # fmt: skip
    search_help_text = "The transaction's or its account's id"
    fields = ("id", "of_account", "platform_transaction_id", "posted_at", "amount", "currency",
              "description")  # fmt: skip
    readonly_fields = fields

    def of_account(self, row: Transaction) -> SafeString | str:
        return link_to(row.account, short_id(row.account_id))

    of_account.short_description = "account"  # type: ignore[attr-defined]
