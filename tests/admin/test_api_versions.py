"""The admin warns of a version of a platform's API that ends soon."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.conftest import UseCatalogue
from tests.support.admin_pages import text_of

pytestmark = pytest.mark.django_db


def test_the_admin_says_so(use_catalogue: UseCatalogue, page: Client) -> None:
    end = timezone.now().date() + timedelta(days=30)
    use_catalogue(f"[channels.linkedin]\napi_version_ends = {end}", "linkedin")
    warning = f"version 202607 of its API ends on {end}"
    assert f"LinkedIn: {warning}" in text_of(page, "/admin/")
    assert f"channels {warning}" in text_of(page, "/admin/platforms/suspension/")
