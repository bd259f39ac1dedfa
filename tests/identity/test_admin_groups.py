"""What groups of operators may do is for superusers to say, and stands in the audit log."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from audit.models import AuditEvent
from connections_project.identity.models import User

pytestmark = pytest.mark.django_db

GROUPS = "/admin/auth/group/"


def clerk(client: Client) -> Group:
    """Sign in as an operator who may change groups, as far as Django's permission goes."""
    group = Group.objects.create(name="Clerks")
    group.permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    user = User.objects.create_user("clerk@x.org", is_staff=True)
    user.groups.add(group)
    client.force_login(user)
    return group


def test_nobody_widens_the_own_group(client: Client) -> None:
    group = clerk(client)
    before = group.permissions.count()
    form = {"name": "Clerks", "permissions": list(Permission.objects.values_list("pk", flat=True))}
    assert client.post(f"{GROUPS}{group.pk}/change/", form).status_code == 403
    assert client.post(f"{GROUPS}add/", form | {"name": "Others"}).status_code == 403
    assert group.permissions.count() == before
    assert client.get(f"{GROUPS}{group.pk}/change/").status_code == 200


def test_what_a_superuser_changes_is_audited(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root@x.org"))
    look = Permission.objects.get(codename="view_user")
    force = Permission.objects.get(codename="force_disconnect_connection")
    assert (
        client.post(f"{GROUPS}add/", {"name": "New", "permissions": [look.pk]}).status_code == 302
    )
    group = Group.objects.get(name="New")
    form = {"name": "New", "permissions": [force.pk]}
    assert client.post(f"{GROUPS}{group.pk}/change/", form).status_code == 302
    made, changed = AuditEvent.objects.filter(action="group_changed").order_by("id")
    assert made.details["permissions"] == ["identity.view_user"]
    assert changed.details == {
        "group": "New",
        "changed": ["permissions"],
        "permissions": ["providers.force_disconnect_connection"],
    }
