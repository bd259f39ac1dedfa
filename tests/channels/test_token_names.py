"""By what a platform can name a dead token, when nobody can search for the sealed one."""

import base64
import hashlib

import pytest

from connections_project.connections.token_names import token_names
from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from tests.conftest import UseCatalogue
from tests.support.channel_rows import channel_of
from tests.support.chirp import Chirp
from tests.support.disconnects import disconnect_one

BOTH = 'token_identifier_algs = ["prefix", "hash_base64_sha512_sha512"]'
TOKEN = "1//0gEXAMPLEabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.fixture
def naming(chirp: Chirp, use_catalogue: UseCatalogue) -> Chirp:
    use_catalogue(chirp.catalogue(more=BOTH), "chirp")
    return chirp


def test_a_stored_token_is_found_by_prefix_and_hash(owner: User, naming: Chirp) -> None:
    row = channel_of(owner, tokens=TokenSet("access", TOKEN))

    row.refresh_from_db()
    twice = hashlib.sha512(hashlib.sha512(TOKEN.encode()).digest()).digest()
    assert row.refresh_token_prefix == TOKEN[:16]
    assert row.refresh_token_hash == base64.b64encode(twice).decode()


def test_a_new_refresh_token_has_new_names(owner: User, naming: Chirp) -> None:
    row = channel_of(owner, tokens=TokenSet("access", TOKEN))
    old = row.refresh_token_hash
    row.take_tokens(TokenSet("access", TOKEN[::-1]), now=row.updated_at)

    assert row.refresh_token_prefix == TOKEN[::-1][:16]
    assert row.refresh_token_hash not in {None, old}


def test_the_names_go_with_the_tokens(owner: User, naming: Chirp) -> None:
    row = channel_of(owner, tokens=TokenSet("access", TOKEN))
    disconnect_one(row)
    row.refresh_from_db()
    assert (row.refresh_token_prefix, row.refresh_token_hash) == (None, None)


def test_a_platform_naming_no_tokens_stores_no_names(owner: User, chirp: Chirp) -> None:
    row = channel_of(owner, tokens=TokenSet("access", TOKEN))

    assert (row.refresh_token_prefix, row.refresh_token_hash) == (None, None)


def test_of_a_short_token_no_part_is_shown(naming: Chirp) -> None:
    names = token_names("chirp", "a-short-refresh-token")

    assert names["refresh_token_prefix"] is None
    assert names["refresh_token_hash"] is not None


def test_no_refresh_token_has_no_names(naming: Chirp) -> None:
    assert set(token_names("chirp", None).values()) == {None}
