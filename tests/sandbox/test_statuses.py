"""Posting in a person's name, as Mastodon takes it."""

import requests

from tests.sandbox.conftest import Client

SCOPE = "profile statuses"


def post(client: Client, token: str, text: str = "Hello", **headers: str) -> requests.Response:
    return requests.post(
        f"{client.handle.url}/api/v1/statuses",
        data={"status": text, "image_url": "https://example.com/a.jpg"},
        headers={"Authorization": f"Bearer {token}", **headers},
        timeout=10,
    )


def timeline(client: Client, person: str) -> requests.Response:
    return client.read(f"/api/v1/accounts/{person}/statuses", None)


def test_a_post_is_there_for_everybody_to_read(client: Client) -> None:
    token = client.connect(scope=SCOPE)["access_token"]
    made = post(client, token)
    assert made.status_code == 200
    assert timeline(client, "ada").json()[0] == made.json()
    assert (made.json()["content"], made.json()["image_url"]) == (
        "Hello",
        "https://example.com/a.jpg",
    )
    assert timeline(client, "nobody").status_code == 404


def test_a_key_is_one_post_for_one_person(client: Client) -> None:
    ada = client.connect(scope=SCOPE)["access_token"]
    grace = client.connect(person="grace", scope=SCOPE)["access_token"]
    before = len(timeline(client, "ada").json())
    first, again = (post(client, ada, **{"Idempotency-Key": "k-1"}) for _ in range(2))
    assert first.json() == again.json()
    assert len(timeline(client, "ada").json()) == before + 1
    theirs = post(client, grace, **{"Idempotency-Key": "k-1"})
    assert theirs.json()["id"] != first.json()["id"]


def test_without_a_key_each_is_another_post(client: Client) -> None:
    token = client.connect(scope=SCOPE)["access_token"]
    assert post(client, token).json()["id"] != post(client, token).json()["id"]


def test_a_text_must_be_one(client: Client) -> None:
    token = client.connect(scope=SCOPE)["access_token"]
    for text in ("", "  ", "x" * 501):
        assert post(client, token, text).status_code == 422


def test_it_needs_its_scope_and_a_living_token(client: Client) -> None:
    other = client.connect(scope="profile accounts")["access_token"]
    assert post(client, other).status_code == 403
    token = client.connect(scope=SCOPE)["access_token"]
    client.revoke(token)
    assert post(client, token).status_code == 401
