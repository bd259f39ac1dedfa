"""People disconnect on their page, know what happens, and keep a receipt."""

import jwt
import pytest
from django.test import Client

from audit.models import AuditEvent
from channels.models import ChannelConnection, Schedule
from connections_project.identity.models import User
from connections_project.revocation.grants import add_holder
from providers.models import Connection
from social.models import SocialAccount
from tests.conftest import UseCatalogue
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.person_pages import words
from tests.support.provider_rows import connection_of
from tests.support.social_rows import account_of

pytestmark = pytest.mark.django_db(transaction=True)

CHIRP = """
[channels.chirp]
name = "Chirp"
authorization_endpoint = "https://chirp.example.com/authorize"
token_endpoint = "https://chirp.example.com/token"
help_url = "https://chirp.example.com/settings/apps"
"""
GALLERY = CHIRP.replace("channels.chirp", "social.gallery").replace("Chirp", "Gallery")


def test_it_says_what_happens_and_does_it(bank: Bank, page: Client, owner: User) -> None:
    row = connection_of(owner)
    asked = words(page.get(f"/connections/{row.pk}/disconnect"))
    assert "We delete the access keys at once" in asked
    assert "We ask Bank to end the access" in asked
    assert Connection.objects.get().status == "active"
    done = page.post(f"/connections/{row.pk}/disconnect", follow=True)
    assert "The access keys are deleted." in words(done)
    assert "Bank has confirmed that the access is over." in words(done)
    assert len(bank.revoked) == 2
    event = AuditEvent.objects.get(action="provider_disconnected")
    assert (event.interface, event.actor_id) == ("page", owner.pk)


def test_a_name_turns_nothing_that_follows_it(bank: Bank, page: Client, owner: User) -> None:
    """A platform's name of an account may hold an override of direction (UAX #9, section 2.2)."""
    row = connection_of(owner)
    Connection.objects.update(platform_account_name="Check\u202eing")
    shown = [page.get("/connections"), page.get(f"/connections/{row.pk}/disconnect")]
    shown.append(page.post(f"/connections/{row.pk}/disconnect", follow=True))
    for one in shown:
        assert "Checking" in one.content.decode()
        assert "\u202e" not in one.content.decode()


def test_the_receipt_is_a_file(bank: Bank, page: Client, owner: User) -> None:
    row = connection_of(owner)
    assert page.get(f"/connections/{row.pk}/receipt").status_code == 404
    page.post(f"/connections/{row.pk}/disconnect")
    file = page.get(f"/connections/{row.pk}/receipt")
    assert file["Content-Disposition"] == f'attachment; filename="receipt-{row.pk}.jws"'
    claims = jwt.decode(file.content, options={"verify_signature": False})
    assert (claims["interface"], claims["revocation"]["state"]) == ("page", "revoked")


def test_twice_is_once(bank: Bank, page: Client, owner: User) -> None:
    row = connection_of(owner)
    for _ in range(2):
        answer = page.post(f"/connections/{row.pk}/disconnect")
        assert answer["Location"] == f"/connections/{row.pk}"
    assert AuditEvent.objects.filter(action="provider_disconnected").count() == 1


def test_a_shared_grant_is_said(
    bank: Bank, use_catalogue: UseCatalogue, page: Client, owner: User, outsider: User
) -> None:
    use_catalogue(bank.catalogue(revocation='blast_radius = "grant"'), "bank")
    row = connection_of(owner, status="active")
    for one in (row, connection_of(outsider)):
        one.granting_user_id = "customer-7"
        one.save()
        add_holder(one.grant, app=one.app, connection_id=one.pk)
    asked = words(page.get(f"/connections/{row.pk}/disconnect"))
    assert "another connection uses the same access" in asked
    done = words(page.post(f"/connections/{row.pk}/disconnect", follow=True))
    assert "goes on for another connection that uses it." in done
    assert bank.revoked == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_somebody_elses_is_unknown(bank: Bank, page: Client, outsider: User, method: str) -> None:
    row = connection_of(outsider)
    for path in ("disconnect", "receipt"):
        if (method, path) != ("post", "receipt"):
            assert getattr(page, method)(f"/connections/{row.pk}/{path}").status_code == 404
    assert Connection.objects.get().status == "active"


def test_scheduled_posts_need_a_second_yes(
    use_catalogue: UseCatalogue, page: Client, owner: User
) -> None:
    use_catalogue(CHIRP, "chirp")
    row = channel_of(owner)
    schedule_of(row, content="Happy new year")
    here = f"/connections/{row.pk}/disconnect"
    asked = words(page.get(here))
    assert "1 post is still waiting to be published through it." in asked
    assert "Happy new year" in asked
    assert "Chirp offers no way to be told." in asked
    again = page.post(here)
    assert again.status_code == 409
    assert "Nothing is disconnected yet." in words(again)
    assert ChannelConnection.objects.get().status == "connected"
    done = page.post(here, {"cancel_schedules": "yes"}, follow=True)
    assert "https://chirp.example.com/settings/apps" in done.content.decode()
    assert Schedule.objects.get().status == "cancelled"


def test_a_teams_account_says_whose_it_is(
    use_catalogue: UseCatalogue, teammate: User, owner: User
) -> None:
    use_catalogue(GALLERY, "gallery")
    row = account_of(owner.own_team)
    browser = Client()
    browser.force_login(teammate)
    asked = words(browser.get(f"/connections/{row.pk}/disconnect"))
    assert f"It belongs to the team {owner.own_team.name}" in asked
    assert "kept locked away and unused for 90 days" in asked
    assert "Nothing is sent to Gallery." in asked
    done = browser.post(f"/connections/{row.pk}/disconnect", follow=True)
    assert "The account is out of use." in words(done)
    assert not SocialAccount.objects.get().is_active
