"""A full save of a principal writes back nothing that others have changed since it was read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.models.signals import pre_save
from django.test import Client

from connections_project.core.database import is_lost_race
from connections_project.identity.models import User
from tests.identity.conftest import EMAIL, PASSWORD

pytestmark = pytest.mark.django_db
NEW = "another horse battery"
CHANGED = {"is_active": False, "clock_lead": 20.0}


@contextmanager
def changed_before_it_is_saved() -> Iterator[None]:
    def change(instance: User, **_: Any) -> None:
        User.objects.filter(pk=instance.pk).update(**CHANGED)

    pre_save.connect(change, sender=User)
    try:
        yield
    finally:
        pre_save.disconnect(change, sender=User)


def save_a_form(client: Client, owner: User) -> None:
    form = {"email": "new@example.com", "is_staff": "on", "is_superuser": "on"}
    client.post(f"/admin/identity/user/{owner.pk}/change/", form)


def change_a_password(client: Client, _: User) -> None:
    typed = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    client.post("/admin/password_change/", typed)


def save_it(_: Client, owner: User) -> None:
    read = User.objects.get(pk=owner.pk)
    read.set_password(NEW)
    read.save()


def save_a_part_of_it(_: Client, owner: User) -> None:
    read = User.objects.active_principal(owner.pk)
    assert read is not None
    read.email = "new@example.com"
    read.save()


@pytest.mark.parametrize("save", [save_a_form, change_a_password, save_it, save_a_part_of_it])
def test_what_others_changed_stays(
    client: Client, owner: User, save: Callable[[Client, User], None]
) -> None:
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    client.force_login(owner)
    with changed_before_it_is_saved():
        save(client, owner)
    after = User.objects.get(pk=owner.pk)
    assert (after.is_active, after.clock_lead) == (False, 20.0)
    assert (after.email, after.password) != (EMAIL, owner.password)


def test_what_is_changed_back_is_saved(owner: User) -> None:
    read = User.objects.get(pk=owner.pk)
    for email in ("new@example.com", EMAIL):
        read.email = email
        read.save()
    assert User.objects.get(pk=owner.pk).email == EMAIL


def test_what_was_rolled_back_is_saved_again(owner: User) -> None:
    read = User.objects.get(pk=owner.pk)
    read.email = "new@example.com"
    for _ in range(2):
        read.save()
        after = User.objects.get(pk=owner.pk).email
        User.objects.filter(pk=owner.pk).update(email=EMAIL)
    assert after == "new@example.com"


def test_what_was_read_anew_is_what_changes_are_told_from(owner: User) -> None:
    read = User.objects.get(pk=owner.pk)
    User.objects.filter(pk=owner.pk).update(is_active=False, is_staff=True)
    read.refresh_from_db()
    User.objects.filter(pk=owner.pk).update(is_staff=False)
    read.is_active = True
    read.save()
    after = User.objects.get(pk=owner.pk)
    assert (after.is_active, after.is_staff) == (True, False)


def test_who_was_deleted_meanwhile_is_not_made_anew(owner: User) -> None:
    read = User.objects.get(pk=owner.pk)
    User.objects.filter(pk=owner.pk).delete()
    read.email = "new@example.com"
    with pytest.raises(DatabaseError) as raised:
        read.save()
    assert is_lost_race(raised.value)
    assert not User.objects.exists()
