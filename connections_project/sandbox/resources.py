"""What a connected client may read: who the person is, accounts, transactions (RFC 6750)."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from oauth2_provider.views.generic import ScopedProtectedResourceView
from oauth2_provider.www_authenticate import build_bearer_challenge, challenge_status

from connections_project.sandbox.models import BankAccount, Transaction


class BearerView(ScopedProtectedResourceView):  # type: ignore[misc]  # The toolkit is untyped.
    """A resource behind a Bearer token, whose refusals say why (RFC 6750, section 3)."""

    def unauthenticated_response(
        self, request: HttpRequest, oauthlib_request: Any = None
    ) -> JsonResponse:
        error = getattr(oauthlib_request, "oauth2_error", None)
        challenge = build_bearer_challenge(
            request, oauth2_error=error, realm="Sandbox Bank", resource_metadata_url=None
        )
        return JsonResponse(
            error or {"error": "invalid_request"},
            status=challenge_status(error),
            headers={"WWW-Authenticate": challenge},
        )


class UserInfoView(BearerView):
    required_scopes = ["profile"]

    def get(self, request: Any) -> JsonResponse:
        person = request.resource_owner
        return JsonResponse({"sub": person.get_username(), "name": person.get_full_name()})


class AccountsView(BearerView):
    required_scopes = ["accounts"]

    def get(self, request: Any) -> JsonResponse:
        accounts = request.resource_owner.bank_accounts.all()
        return JsonResponse({"accounts": [_account(account) for account in accounts]})


class TransactionsView(BearerView):
    required_scopes = ["transactions"]

    def get(self, request: Any, account_id: str) -> JsonResponse:
        # Another person's account is as unknown as one that never was.
        account = request.resource_owner.bank_accounts.filter(id=account_id).first()
        if account is None:
            return JsonResponse({"error": "not_found"}, status=404)
        entries = [_transaction(entry, account) for entry in account.transactions.all()]
        return JsonResponse({"transactions": entries})


def _account(account: BankAccount) -> dict[str, str]:
    return {
        "id": account.id,
        "name": account.name,
        "type": account.type,
        "currency": account.currency,
        "balance": str(account.balance),
    }


def _transaction(entry: Transaction, account: BankAccount) -> dict[str, str]:
    return {
        "id": entry.id,
        "posted_at": f"{entry.posted_at:%Y-%m-%dT%H:%M:%SZ}",
        "amount": str(entry.amount),
        "currency": account.currency,
        "description": entry.description,
    }
