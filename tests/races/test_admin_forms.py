"""Every form of the admin, sent four times at once, as by an operator who clicks again and again.

Whoever loses is told so by the page; nobody gets an error of ours.
"""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from connections_project.events import audience
from connections_project.events.models import Endpoint
from connections_project.identity.models import ApiKey, Membership, Team, User
from connections_project.identity.origins import command_origin
from connections_project.operations import offboarding
from tests.admin.test_odd_values import addresses
from tests.conftest import UseCatalogue
from tests.races.conftest import PATIENCE, at_once, meanwhile
from tests.support.admin_rows import Rows, admin_rows
from tests.support.bank import Bank
from tests.support.chirp import Chirp
from tests.support.gallery import Gallery
from tests.support.page_forms import filled, form_of
from tests.support.platform_server import Answer, PlatformServer

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

MODELS = {f"/admin/{one._meta.app_label}/{one._meta.model_name}/": one for one in
          admin.site._registry}  # fmt: skip
# Lists, downloads and redirects.
NO_FORMS = ("/history/", "/delete/", "_id>/", "export.<str:kind>", "leaver-receipt/", "/receipt/")
# One page has all platforms.
NO_FORMS_AT_ALL = {"/admin/platforms/suspension/<path:object_id>/change/"}
TIMES = 4


def forms() -> Iterator[tuple[str, type[Model]]]:
    """Return the address of each form of a model, as its template, with the model."""
    for template in addresses("/admin/", admin.site.urls[0]):
        for prefix, model in MODELS.items():
            is_list = template == prefix or template in NO_FORMS_AT_ALL
            if template.startswith(prefix) and not is_list and not template.endswith(NO_FORMS):
                yield template, model


def actions() -> Iterator[tuple[type[Model], str]]:
    """Return each action on a selection, by its model and name."""
    for model, its_admin in admin.site._registry.items():
        for _function, name, _ in its_admin._get_base_actions():  # type: ignore[attr-defined]
            # Nothing is deleted in the admin.
            if name != "delete_selected":
                yield model, name


FORMS = list(forms())
ACTIONS = list(actions())


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser("root@example.com", "x")


@pytest.fixture
def rows(
    owner: User,
    operator: User,
    server: PlatformServer,
    use_catalogue: UseCatalogue,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> Rows:
    # Nobody else has to hear of the endpoints.
    monkeypatch.setattr(audience, "KNOWN_SECONDS", 0.0)
    settings.EVENT_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    made = Bank(server), Chirp(server), Gallery(server)
    use_catalogue("".join(one.catalogue() for one in made), "bank", "chirp", "gallery")
    for one in made:
        one.open()
    server.on("POST", "/events", Answer(204))
    return admin_rows(owner, operator, endpoint_url=f"{server.url}/events")


@pytest.fixture
def clients(operator: User) -> list[Client]:
    """Return so many tabs of one browser."""
    made = [Client(raise_request_exception=False) for _ in range(TIMES)]
    made[0].force_login(operator)
    for one in made[1:]:
        one.cookies = made[0].cookies.copy()  # type: ignore[assignment]
    return made


@pytest.fixture
def values(operator: User, owner: User) -> dict[str, Any]:
    """Return what is typed into fields, by their names."""
    return {
        "reason": "they left",
        "email": "new@example.com",
        "name": "New",
        "memberships-user": operator.pk,
        "team": owner.own_team.pk,
        "scopes": ["social:read"],
        "since": "2020-01-01 12:00",
        "url": "https://example.com/events",
        "platform": "bank",
        "_save": "Save",
    }


def send(clients: list[Client], address: str, form: dict[str, Any]) -> list[int]:
    calls = [partial(one.post, address, form) for one in clients]
    return [answer.status_code for answer in at_once(calls)]


@pytest.mark.parametrize(("template", "model"), FORMS, ids=[one for one, _ in FORMS])
def test_every_form_sent_many_times_at_once(
    rows: Rows, clients: list[Client], values: dict[str, Any], template: str, model: type[Model]
) -> None:
    pages: list[int] = []
    head, has_row, tail = template.partition("<")
    for row in rows[model._meta.label] if has_row else [Model]:
        address = f"{head}{row.pk}{tail.partition('>')[2]}" if has_row else head
        page = clients[0].get(address)
        pages.append(page.status_code)
        form = form_of(page.content.decode())
        if page.status_code == 200 and form is not None:
            statuses = send(clients, address, filled(form, values))
            assert set(statuses) <= {200, 302, 404, 403}, statuses
    # A form that none of the rows has is one that isn't tried.
    assert 200 in pages or set(pages) == {403}, pages


@pytest.mark.parametrize("model", [ApiKey, Endpoint])
def test_a_form_that_makes_a_secret_makes_one(
    rows: Rows, clients: list[Client], values: dict[str, Any], model: type[Model]
) -> None:
    (page,) = (one for one, of in FORMS if of is model and one.endswith("/add/"))
    number = model._default_manager.count()
    form = form_of(clients[0].get(page).content.decode()) or {}
    # The others are led to what the first one has made.
    assert sorted(send(clients, page, filled(form, values))) == [200, 302, 302, 302]
    assert model._default_manager.count() == number + 1


@pytest.mark.parametrize("model", [Team, Group])
def test_a_form_that_makes_a_row_makes_one(
    rows: Rows, clients: list[Client], values: dict[str, Any], model: type[Model]
) -> None:
    (page,) = (one for one, of in FORMS if of is model and one.endswith("/add/"))
    number = model._default_manager.count()
    form = form_of(clients[0].get(page).content.decode()) or {}
    assert set(send(clients, page, filled(form, values))) <= {200, 302}
    assert model._default_manager.count() == number + 1


def test_a_forced_rotation_drops_one_secret(rows: Rows, clients: list[Client]) -> None:
    (endpoint,) = Endpoint.objects.all()[:1]
    page = f"/admin/events/endpoint/{endpoint.pk}/rotate/"
    clients[0].post(page)
    box = re.search(r'name="force" value="([^"]+)"', clients[0].get(page).content.decode())
    assert box is not None
    answers = at_once([partial(one.post, page, {"force": box[1]}) for one in clients])
    assert sum("whsec_" in answer.content.decode() for answer in answers) == 1


@pytest.mark.parametrize(("model", "action"), ACTIONS)
def test_every_action_on_a_selection_many_times_at_once(
    rows: Rows, clients: list[Client], model: type[Model], action: str
) -> None:
    chosen = [str(row.pk) for row in rows[model._meta.label]]
    form = {"action": action, "_selected_action": chosen, "reason": "they left"}
    page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    statuses = send(clients, page, form)
    assert set(statuses) == {302}


def test_an_address_taken_while_the_form_was_checked(
    rows: Rows, clients: list[Client], owner: User, outsider: User
) -> None:
    page = f"/admin/identity/user/{owner.pk}/change/"
    with ExitStack() as stack:
        with transaction.atomic():
            User.objects.filter(pk=outsider.pk).update(email="new@example.com")
            send = partial(clients[0].post, page, {"email": "new@example.com"})
            sending = stack.enter_context(meanwhile(send))
            time.sleep(0.3)
            assert not sending.done()
        answer = sending.result(PATIENCE)
    assert answer.status_code == 200
    assert "already exists" in answer.content.decode()


def test_opposite_actions_on_a_user_at_once(rows: Rows, clients: list[Client], owner: User) -> None:
    names = ("forget", "deactivate", "reactivate", "forget")
    pages = [f"/admin/identity/user/{owner.pk}/{name}/" for name in names]
    calls = [
        partial(one.post, page, {"reason": "they left"})
        for one, page in zip(clients, pages, strict=True)
    ]
    # Whoever comes after the user was forgotten finds nobody.
    assert {answer.status_code for answer in at_once(calls)} <= {302, 404}


def test_a_user_forgotten_while_let_in_again(
    rows: Rows, clients: list[Client], owner: User
) -> None:
    page = f"/admin/identity/user/{owner.pk}/reactivate/"
    with ExitStack() as stack:
        with transaction.atomic():
            offboarding.end_access(owner, reason="left", origin=command_origin(None))
            offboarding.forget_identity(owner, reason="left", origin=command_origin(None))
            sent = partial(clients[0].post, page, {"reason": "back again"})
            sending = stack.enter_context(meanwhile(sent))
            time.sleep(0.3)
        assert sending.result(PATIENCE).status_code == 404


def test_two_members_taken_out_at_once(
    rows: Rows, clients: list[Client], owner: User, outsider: User
) -> None:
    """Each by an operator who sees the other one stay."""
    team = owner.own_team
    other = Membership.objects.create(team=team, user=outsider)
    page = f"/admin/identity/team/{team.pk}/change/"
    members = [team.memberships.get(user=owner), other]
    forms = [leaving(clients[0].get(page).content.decode(), one.pk) for one in members]
    calls = [partial(one.post, page, form) for one, form in zip(clients, forms, strict=False)]
    assert sorted(answer.status_code for answer in at_once(calls)) == [200, 302]
    assert team.memberships.count() == 1


def leaving(page: str, key: UUID) -> dict[str, Any]:
    """Return the form of a team's page with one membership taken out."""
    form = {
        name: value for name, value in (form_of(page) or {}).items() if "__prefix__" not in name
    }
    (field,) = (name for name, values in form.items() if values == [str(key)])
    return form | {field.replace("-id", "-DELETE"): "on"}
