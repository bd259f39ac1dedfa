"""Operators read the audit log in the admin, and nobody writes it there."""

from collections.abc import Callable

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.test import Client, RequestFactory

from audit.models import AuditEvent


@pytest.mark.parametrize("verb", ["add", "change", "delete"])
def test_even_a_superuser_may_only_read(verb: str) -> None:
    request = RequestFactory().get("/")
    request.user = get_user_model()(is_active=True, is_staff=True, is_superuser=True)
    page = admin.site.get_model_admin(AuditEvent)
    assert page.has_view_permission(request) is True
    assert getattr(page, f"has_{verb}_permission")(request) is False


@pytest.mark.django_db
@pytest.mark.urls("tests.support.admin_urls")
def test_the_list_and_an_event_can_be_opened(
    client: Client, recorded: Callable[..., AuditEvent]
) -> None:
    event = recorded(reason="by request")
    user = get_user_model().objects.create_user("operator@example.org", "a-long-password-1")
    user.is_staff = user.is_superuser = True
    user.save()
    client.force_login(user)
    assert b"provider_connected" in client.get("/admin/audit/auditevent/").content
    page = client.get(f"/admin/audit/auditevent/{event.pk}/change/")
    assert page.status_code == 200
    assert b"by request" in page.content
    assert client.post(f"/admin/audit/auditevent/{event.pk}/delete/").status_code == 403


@pytest.fixture
def page(client: Client) -> Client:
    make = get_user_model().objects.create_superuser
    client.force_login(make("operator@example.org", "a-long-password-1"))
    return client


@pytest.mark.django_db
class TestFinding:
    """Each filter finds the one event that it should, and not the other."""

    LIST = "/admin/audit/auditevent/"

    @pytest.fixture
    def events(self) -> tuple[AuditEvent, AuditEvent]:
        kim = get_user_model().objects.create_user("kim@example.org")
        wanted = AuditEvent.objects.create(
            action="provider_disconnected", outcome="failure", actor_type="user", actor_id=kim.pk,
            interface="page", subject_type="user", subject_id=kim.pk, subject_owner_id=kim.pk,
            trace_id="wanted", reason="wanted",
        )  # fmt: skip
        other = AuditEvent.objects.create(
            action="provider_connected", outcome="success", actor_type="system", interface="worker",
            subject_type="providers.connection", trace_id="other", reason="unwanted-one",
        )  # fmt: skip
        return wanted, other

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("q", "Kim@example.org"), ("actor", "kim@example.org"), ("subject", "kim@example.org"),
            ("action", "provider_disconnected"), ("interface", "page"), ("outcome", "failure"),
            ("actor_type", "user"),
        ],
    )  # fmt: skip
    def test_by_each_column(
        self, page: Client, events: tuple[AuditEvent, AuditEvent], name: str, value: str
    ) -> None:
        shown = page.get(self.LIST, {name: value}).content.decode()
        assert ">wanted<" in shown
        assert "unwanted-one" not in shown

    def test_by_span(self, page: Client, events: tuple[AuditEvent, AuditEvent]) -> None:
        today = f"{events[0].occurred_at:%Y-%m-%d}"
        both = {"from": today, "until": today}
        assert "unwanted-one" in page.get(self.LIST, both).content.decode()
        assert "unwanted-one" not in page.get(self.LIST, {"until": "2020-01-01"}).content.decode()
        assert page.get(self.LIST, {"from": "soon"}).status_code == 302

    def test_people_are_named_and_linked(
        self, page: Client, events: tuple[AuditEvent, AuditEvent]
    ) -> None:
        shown = page.get(self.LIST).content.decode()
        address = f"/admin/identity/user/{events[0].actor_id}/change/"
        assert f'user <a href="{address}">kim@example.org</a>' in shown
