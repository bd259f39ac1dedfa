"""A webhook that a grant brought is deleted with the grant (docs/api.md, "Publishing")."""

from dataclasses import replace

import pytest
from rest_framework.test import APIClient

from channels.models import ChannelConnection
from channels.refresh import refresh_own
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.oauth.client import TokenSet
from connections_project.revocation.models import RevocationJob
from tests.conftest import UseCatalogue
from tests.support.channel_publishing import ADAPTER
from tests.support.channel_rows import channel_of
from tests.support.chirp import Chirp
from tests.support.platform_server import Answer, Request

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/webhooks/347114750880120863/kKDdjXa1g9tKNs0-_yOwLyALC9"
TOKENS = TokenSet("access-0", "refresh-0", extras={"webhook_url": f"https://discord.com{PATH}"})


@pytest.fixture
def row(owner: User, chirp: Chirp, use_catalogue: UseCatalogue) -> ChannelConnection:
    use_catalogue(chirp.catalogue(more=ADAPTER.format("discord")), "chirp")
    return channel_of(owner, tokens=TOKENS)


def disconnect(api: APIClient, row: ChannelConnection) -> None:
    assert api.delete(f"/api/v1/channels/connections/{row.pk}").status_code == 200
    row.refresh_from_db()
    assert (row.status, row.auth_state) == ("disconnected", None)


@pytest.mark.parametrize("answer", [Answer(204), Answer(404, json={"code": 10015})])
def test_a_disconnect_deletes_it(
    api: APIClient, row: ChannelConnection, chirp: Chirp, answer: Answer
) -> None:
    chirp.server.on("DELETE", PATH, answer)
    disconnect(api, row)
    (asked,) = chirp.server.requests_to(PATH)
    assert (asked.method, asked.headers["Authorization"]) == ("DELETE", None)
    assert len(chirp.server.requests_to("/revoke")) == 2
    job = RevocationJob.objects.get()
    assert (job.state, job.sealed_tokens) == ("revoked", None)


def test_one_that_may_be_there_is_tried_again(
    api: APIClient, row: ChannelConnection, chirp: Chirp
) -> None:
    chirp.server.on("DELETE", PATH, Answer(503))
    disconnect(api, row)
    job = RevocationJob.objects.get()
    assert job.state == "pending"
    # The tokens themselves are over, and are not sent again.
    assert job.accepted_tokens
    assert len(chirp.server.requests_to("/revoke")) == 2


@pytest.mark.parametrize("radius", ["token", "grant"])
def test_a_refresh_that_comes_too_late_leaves_it_to_what_came_before(
    owner: User,
    outsider: User,
    row: ChannelConnection,
    chirp: Chirp,
    use_catalogue: UseCatalogue,
    radius: str,
) -> None:
    """Another refresh has stored its tokens meanwhile, with the webhook that both came from."""
    table = chirp.catalogue(more=ADAPTER.format("discord"), revocation=f'blast_radius = "{radius}"')
    use_catalogue(table, "chirp")
    channel_of(outsider)
    chirp.server.on("DELETE", PATH, Answer(204))

    def meanwhile(_: Request) -> Answer:
        current = ChannelConnection.objects.get(pk=row.pk)
        current.take_tokens(replace(TOKENS, refresh_token="refresh-x"), now=current.updated_at)
        current.save()
        return chirp.tokens()

    chirp.server.on("POST", "/token", meanwhile)
    origin = command_origin(None)
    refreshed = refresh_own(connection_id=row.pk, user=owner, force=True, origin=origin)
    assert refreshed.opened().refresh_token == "refresh-x"
    assert chirp.server.requests_to(PATH) == []
    assert not RevocationJob.objects.filter(extras_only=True).exists()
