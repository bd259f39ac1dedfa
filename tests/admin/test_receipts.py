"""The receipt of a disconnect, for operators to hand on."""

import re
from pathlib import Path

import jwt
import pytest
from django.test import Client

from connections_project.identity.models import User
from connections_project.receipts.keys import signing_key
from tests.support.admin_pages import text_of
from tests.support.archiving import archive_everything
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db


def test_it_equals_the_receipt_the_owner_gets(page: Client, platforms: Bank, owner: User) -> None:
    row = connection_of(owner)
    here = f"/admin/providers/connection/{row.pk}"
    assert b"/receipt/" not in page.get(f"{here}/change/").content
    assert page.get(f"{here}/receipt/").status_code == 404
    page.post(f"{here}/force-disconnect/", {"reason": "breach"})
    assert b"/receipt/" in page.get(f"{here}/change/").content
    assert f"connection_id {row.pk}" in text_of(page, f"{here}/receipt/")
    saved = page.get(f"{here}/receipt/", {"file": ""})
    assert f'filename="receipt-{row.pk}.jws"' in saved["Content-Disposition"]
    claims = jwt.decode(saved.content.decode(), signing_key().public_key(), ["EdDSA"])
    assert (claims["connection_id"], claims["actor"]) == (str(row.pk), "operator")
    assert re.search(r"state: pending", text_of(page, f"{here}/receipt/"))


def test_what_is_archived_is_not_linked(
    page: Client, platforms: Bank, owner: User, tmp_path: Path
) -> None:
    row = connection_of(owner)
    here = f"/admin/providers/connection/{row.pk}"
    page.post(f"{here}/force-disconnect/", {"reason": "breach"})
    archive_everything(tmp_path)
    assert b"/receipt/" not in page.get(f"{here}/change/").content
    assert page.get(f"{here}/receipt/").status_code == 404
