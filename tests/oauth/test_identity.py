"""Whose account it is, and reading JSON on a user's behalf."""

import base64
import json
from decimal import Decimal
from typing import Any

import pytest

from connections_project.oauth.catalog import Platform
from connections_project.oauth.client import (
    ClientRegistration,
    Identity,
    TokenSet,
    fetch_json,
    identify,
)
from connections_project.oauth.errors import PlatformError
from tests.oauth.conftest import MakePlatform
from tests.support.platform_server import Answer, PlatformServer


def id_token(**claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"header.{payload}.signature"


def identity_of(platform: Platform, registration: ClientRegistration, **response: Any) -> Identity:
    return identify(platform, registration, tokens=TokenSet("at-1", response=response))


def asked_at(server: PlatformServer, make_platform: MakePlatform, **values: Any) -> Platform:
    return make_platform(identity_endpoint=f"{server.url}/me", **values)


def test_the_identity_endpoint_is_asked_as_bearer(
    server: PlatformServer, make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("GET", "/me", Answer(json={"sub": "u-1", "name": "Ada"}))

    assert identity_of(asked_at(server, make_platform), registration) == Identity("u-1", "Ada")
    assert server.requests[0].headers["Authorization"] == "Bearer at-1"


NAMED = '{"sub": "u-1", "name": "Zo\u00eb"}'


@pytest.mark.parametrize(
    ("encoding", "charset"),
    [
        ("utf-8", "ISO-8859-1"),
        ("utf-8-sig", "nonsense"),
        ("utf-16", "utf-8"),
        ("latin-1", "ISO-8859-1"),
        ("cp1252", '"Windows-1252"; a=b'),
    ],
)
def test_a_name_is_read_in_its_encoding(
    server: PlatformServer,
    make_platform: MakePlatform,
    registration: ClientRegistration,
    encoding: str,
    charset: str,
) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}
    server.on("GET", "/me", Answer(body=NAMED.encode(encoding), headers=headers))

    assert identity_of(asked_at(server, make_platform), registration) == Identity("u-1", "Zoë")


def test_a_name_in_who_knows_what_is_malformed(
    server: PlatformServer, make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("GET", "/me", Answer(body=NAMED.encode("latin-1")))

    with pytest.raises(PlatformError) as caught:
        identity_of(asked_at(server, make_platform), registration)

    assert caught.value.code == "malformed"


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"data": {"id": "7"}}, "data.id"),
        ({"data": {"id": 7}}, "data.id"),
        ([{"hash": "7"}], "0.hash"),
        ({"items": [{"id": "6"}, {"id": "7"}]}, "items.1.id"),
        ({"accounts": {"0": "7"}}, "accounts.0"),
    ],
)
def test_paths_lead_through_objects_and_lists(
    server: PlatformServer,
    make_platform: MakePlatform,
    registration: ClientRegistration,
    document: Any,
    path: str,
) -> None:
    server.on("GET", "/me", Answer(json=document))
    platform = asked_at(server, make_platform, account_id_field=path)

    assert identity_of(platform, registration).account_id == "7"


@pytest.mark.parametrize(
    ("picture", "taken"),
    [
        ("https://example.com/ada.png?size=48", True),
        ("http://example.com/ada.png", False),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("https://example.com/a b.png", False),
        ("https://example.com/\u0000", False),
        (f"https://example.com/{'x' * 2048}", False),
        (7, False),
        (None, False),
    ],
)
def test_a_picture_is_an_https_address_or_none(
    server: PlatformServer,
    make_platform: MakePlatform,
    registration: ClientRegistration,
    picture: Any,
    taken: bool,
) -> None:
    server.on("GET", "/me", Answer(json={"sub": "7", "avatar": picture}))
    platform = asked_at(server, make_platform, account_picture_field="avatar")

    assert identity_of(platform, registration).picture_url == (picture if taken else None)


def test_the_grant_belongs_to_the_id_tokens_user(
    server: PlatformServer, make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("GET", "/me", Answer(json={"items": [{"id": "channel-7"}]}))
    platform = asked_at(server, make_platform, account_id_field="items.0.id", scopes=("openid",))
    result = id_token(sub="user-1", aud=registration.client_id)

    found = identity_of(platform, registration, id_token=result)

    assert (found.account_id, found.grantor_id) == ("channel-7", "user-1")


def test_without_an_id_token_the_account_has_it(
    server: PlatformServer, make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("GET", "/me", Answer(json={"sub": "7"}))

    found = identity_of(asked_at(server, make_platform), registration)

    assert (found.account_id, found.grantor_id) == ("7", "7")


def test_an_identity_endpoint_waives_no_check(
    server: PlatformServer, make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("GET", "/me", Answer(json={"sub": "7"}))
    result = id_token(sub="user-1", aud="another client")

    platform = asked_at(server, make_platform, scopes=("openid",))
    with pytest.raises(PlatformError) as caught:
        identity_of(platform, registration, id_token=result)
    assert caught.value.code == "malformed"


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        None,
        "sub",
        {"sub": None},
        {"sub": True},
        {"sub": {"a": 1}},
        {"sub": ""},
        [{"sub": 1}],
    ],
)
def test_an_answer_without_the_field_is_malformed(
    server: PlatformServer,
    make_platform: MakePlatform,
    registration: ClientRegistration,
    document: Any,
) -> None:
    server.on("GET", "/me", Answer(json=document))

    with pytest.raises(PlatformError) as caught:
        identity_of(asked_at(server, make_platform), registration)

    assert caught.value.code == "malformed"


@pytest.mark.parametrize("account_id", ["x" * 256, "a\x00b", "a\nb", "\ud800"])
def test_an_id_that_no_column_can_hold_is_malformed(
    server: PlatformServer,
    make_platform: MakePlatform,
    registration: ClientRegistration,
    account_id: str,
) -> None:
    server.on("GET", "/me", Answer(json={"sub": account_id}))

    with pytest.raises(PlatformError) as caught:
        identity_of(asked_at(server, make_platform), registration)

    assert caught.value.code == "malformed"


def test_a_name_is_made_fit_to_be_kept(
    server: PlatformServer, make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    server.on("GET", "/me", Answer(json={"sub": "1", "name": "\x00Ada\n\ud800" + "x" * 300}))

    name = identity_of(asked_at(server, make_platform), registration).account_name

    assert name is not None
    assert name.startswith("Ada  x")
    assert len(name) == 255


def test_without_endpoint_by_the_token_response(
    platform: Platform, registration: ClientRegistration
) -> None:
    assert identity_of(platform, registration, sub=5, name="Ada") == Identity("5", "Ada")


@pytest.mark.parametrize("audience", ["client id", ["other", "client id"]])
def test_else_by_the_claims_of_an_id_token(
    make_platform: MakePlatform, registration: ClientRegistration, audience: Any
) -> None:
    token = id_token(sub="u-1", name="Ada", aud=audience)
    platform = make_platform(scopes=("openid",))

    assert identity_of(platform, registration, id_token=token) == Identity("u-1", "Ada")


def test_one_that_nobody_asked_for_is_ignored(
    platform: Platform, registration: ClientRegistration
) -> None:
    result = id_token(sub="u-1", aud="another client")

    assert identity_of(platform, registration, id_token=result) == Identity(None, None)


def test_an_id_token_for_another_client_is_refused(
    make_platform: MakePlatform, registration: ClientRegistration
) -> None:
    platform = make_platform(scopes=("openid",))
    with pytest.raises(PlatformError) as caught:
        identity_of(platform, registration, id_token=id_token(sub="u-1", aud="other"))

    assert caught.value.code == "malformed"


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "a.W10.c", "a.é.c", f"a.{'W' * 40_000}.c"])
def test_an_invalid_id_token_names_nobody(
    make_platform: MakePlatform, registration: ClientRegistration, token: str
) -> None:
    platform = make_platform(scopes=("openid",))
    assert identity_of(platform, registration, id_token=token) == Identity(None, None)


def test_a_named_account_makes_the_id_token_unneeded(
    platform: Platform, registration: ClientRegistration
) -> None:
    other = id_token(sub="u-2", aud="other")

    assert identity_of(platform, registration, sub="u-1", id_token=other).account_id == "u-1"


def test_nobody_known_is_no_error(platform: Platform, registration: ClientRegistration) -> None:
    assert identity_of(platform, registration) == Identity(None, None)


def read(server: PlatformServer, platform: Platform, registration: ClientRegistration) -> Any:
    return fetch_json(platform, registration, url=f"{server.url}/data", access_token="at-1")


def test_money_is_read_without_a_loss(
    server: PlatformServer, platform: Platform, registration: ClientRegistration
) -> None:
    server.on("GET", "/data", Answer(body=b'{"balance": 0.1, "count": 3, "odd": NaN}'))

    document = read(server, platform, registration)

    assert document == {"balance": Decimal("0.1"), "count": 3, "odd": None}


@pytest.mark.parametrize(
    ("status", "code"), [(401, "refused"), (403, "refused"), (500, "server_error")]
)
def test_a_refused_access_token_by_its_status(
    server: PlatformServer,
    platform: Platform,
    registration: ClientRegistration,
    status: int,
    code: str,
) -> None:
    server.on("GET", "/data", Answer(status))

    with pytest.raises(PlatformError) as caught:
        read(server, platform, registration)

    assert (caught.value.code, caught.value.status) == (code, status)


def test_a_token_with_a_newline_is_no_header(
    server: PlatformServer, platform: Platform, registration: ClientRegistration
) -> None:
    with pytest.raises(PlatformError) as caught:
        fetch_json(
            platform, registration, url=f"{server.url}/data", access_token="at\r\nX-Injected: 1"
        )

    assert caught.value.code == "malformed"
    assert server.requests == []
