"""Operators with every permission of their group, auditors, and connections to look at."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from connections_project.identity.models import User
from tests.conftest import PASSWORD
from tests.operations.conftest import platforms, use_platforms

SignInAs = Callable[[User], Client]


__all__ = ["platforms", "use_platforms"]


@pytest.fixture
def operator(db: None) -> User:
    """Holds what the group *Operators* does."""
    return _staff("operator@example.com", "Operators")


@pytest.fixture
def auditor(db: None) -> User:
    return _staff("auditor@example.com", "Auditors")


@pytest.fixture
def page(operator: User) -> Client:
    """The admin as an operator sees it."""
    return _signed_in(operator)


@pytest.fixture
def auditors_page(auditor: User) -> Client:
    return _signed_in(auditor)


def _staff(email: str, group: str) -> User:
    user = User.objects.create_user(email, PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
