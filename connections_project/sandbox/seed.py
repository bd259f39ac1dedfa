"""Put the client, the people and their money into the sandbox's database, however often."""

from datetime import date

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from oauth2_provider.models import Application

from connections_project.oauth.client import ClientRegistration
from connections_project.sandbox.models import BankAccount, Transaction
from connections_project.sandbox.people import PEOPLE, Account, Person
from connections_project.sandbox.statements import statement


@transaction.atomic
def seed(registration: ClientRegistration) -> None:
    """Bring the database to what the registration and `people.py` say; what is there stays."""
    _register(registration)
    for person in PEOPLE.values():
        _open_accounts(person, _sign_up(person), today=timezone.now().date())


def _register(registration: ClientRegistration) -> None:
    Application.objects.update_or_create(
        client_id=registration.client_id,
        defaults={
            "name": "Connections",
            "client_type": Application.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
            "algorithm": Application.RS256_ALGORITHM,
            "client_secret": registration.client_secret,
            "redirect_uris": " ".join(registration.redirect_uris),
        },
    )


def _sign_up(person: Person) -> User:
    user, _ = User.objects.update_or_create(
        username=person.username,
        defaults={
            "first_name": person.first_name,
            "last_name": person.last_name,
            "password": make_password(person.password),
        },
    )
    return user


def _open_accounts(person: Person, owner: User, *, today: date) -> None:
    for plan in person.accounts:
        account, _ = BankAccount.objects.update_or_create(
            id=plan.id,
            defaults={
                "owner": owner,
                "name": plan.name,
                "type": plan.type,
                "currency": plan.currency,
                "balance": plan.opening,
            },
        )
        _post(account, plan, today=today)


def _post(account: BankAccount, plan: Account, *, today: date) -> None:
    Transaction.objects.bulk_create(
        [
            Transaction(
                id=entry.id,
                account=account,
                posted_at=entry.posted_at,
                amount=entry.amount,
                description=entry.description,
            )
            for entry in statement(plan, today=today)
        ],
        ignore_conflicts=True,
    )
    moved = Transaction.objects.filter(account=account).aggregate(sum=Sum("amount"))["sum"]
    account.balance = plan.opening + (moved or 0)
    account.save(update_fields=["balance"])
