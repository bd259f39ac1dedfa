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
