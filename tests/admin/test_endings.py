"""The admin warns of what ends soon, such as a version of an API."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.conftest import UseCatalogue
from tests.support.admin_pages import text_of

pytestmark = pytest.mark.django_db


def test_the_admin_says_so(use_catalogue: UseCatalogue, page: Client) -> None:
    end = timezone.now().date() + timedelta(days=30)
    use_catalogue(f"[channels.linkedin.ends_on]\nLinkedIn-Version = {end}", "linkedin")
    warning = f"LinkedIn-Version ends on {end}"
    assert f"LinkedIn: {warning}" in text_of(page, "/admin/")
    assert f"channels {warning}" in text_of(page, "/admin/platforms/suspension/")
