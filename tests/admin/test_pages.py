"""Every page of the admin opens, and nobody deletes anything there."""

from collections.abc import Callable

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client, RequestFactory
from django.urls import reverse

from connections_project.identity.models import ApiKey, User
from providers.models import Account, Transaction
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.provider_rows import connection_of

EVERY_MODEL = list(admin.site._registry)
# Groups are shown only to whoever may see what operators may do.
MODELS = [model for model in EVERY_MODEL if model._meta.app_label not in {"auth"}]
Made = Callable[..., models.Model]


def lists(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def test_every_list_opens_for_operators_and_auditors(page: Client, auditors_page: Client) -> None:
    for model in MODELS:
        assert page.get(lists(model)).status_code == 200, model
        assert auditors_page.get(lists(model)).status_code == 200, model


def test_whatever_is_searched_for_the_list_opens(page: Client) -> None:
    for word in ("01a2120c-fa6a-714b-b031-524c651f63d2", "a@b.org", "ab'c", "é" * 300):
        for model in MODELS:
            assert page.get(lists(model), {"q": word}).status_code == 200, (model, word)


def test_not_even_who_holds_every_permission_deletes(db: None) -> None:
    request = RequestFactory().get("/")
    request.user = User(is_active=True, is_staff=True, is_superuser=True)
    for model in EVERY_MODEL:
        assert admin.site._registry[model].has_delete_permission(request) is False
        assert "delete_selected" not in admin.site._registry[model].get_actions(request)


@pytest.fixture
def everything(bank: Bank, owner: User) -> list[models.Model]:
    """One row of most models."""
    row = connection_of(owner)
    channel = channel_of(owner, channel="x")
    account = Account.objects.create(
        connection=row,
        platform_account_id="1",
        created_at=row.created_at,
        updated_at=row.created_at,
    )
    entry = Transaction.objects.create(
        account=account, platform_transaction_id="1", posted_at=row.created_at, amount="1.00"
    )
    key = ApiKey.objects.create(
        team=owner.own_team, prefix="cnx_1", secret_sha256="0" * 64, scopes=["social:read"]
    )
    return [row, channel, account, entry, schedule_of(channel), key, owner, owner.own_team]


def test_operators_and_auditors_open_every_page(
    page: Client, auditors_page: Client, everything: list[models.Model]
) -> None:
    for row in everything:
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
        for client in (page, auditors_page):
            assert client.get(reverse(name, args=[row.pk])).status_code == 200, row


def test_a_text_that_turns_the_direction_is_spelt_out(
    page: Client, everything: list[models.Model]
) -> None:
    """A platform's or a user's: in the order of characters it may say something else."""
    named = {"account": "name", "transaction": "description", "schedule": "content"}
    shown = 0
    for row in everything:
        if not (column := named.get(str(row._meta.model_name))):
            continue
        type(row)._default_manager.filter(pk=row.pk).update(**{column: "to \u202egro\u2069"})
        change = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
        for path in (lists(type(row)), reverse(change, args=[row.pk])):
            text = page.get(path).content.decode()
            assert not {"\u202e", "\u2069"} & {*text}, path
            shown += r"to \u202egro\u2069" in text
    assert shown >= 5


def test_an_id_that_nobody_has_leads_away(page: Client, db: None) -> None:
    for model in MODELS:
        for pk in ("nonsense", "01a2120c-fa6a-714b-b031-524c651f63d2"):
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
            assert page.get(reverse(name, args=[pk])).status_code in {302, 404}, model
