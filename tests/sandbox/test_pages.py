"""What a connected client may do with the pages that a person manages."""

import requests

from tests.sandbox.conftest import Client

SCOPE = "profile pages publish"


def post(client: Client, page: str, token: str, text: str = "Hello") -> requests.Response:
    return requests.post(
        f"{client.handle.url}/api/pages/{page}/posts",
        data={"text": text, "image_url": "https://example.com/a.jpg"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )


def test_a_person_manages_pages(client: Client) -> None:
    token = client.connect(scope=SCOPE)["access_token"]
    pages = client.read("/api/pages", token).json()["pages"]
    assert pages == [
        {"id": "ada-notes", "name": "@notes_by_ada"},
        {"id": "ada-engine", "name": "@analytical_engine"},
    ]


def test_a_post_is_published_and_listed(client: Client) -> None:
    token = client.connect(scope=SCOPE)["access_token"]
    made = post(client, "ada-notes", token)
    assert made.status_code == 201
    listed = client.read("/api/pages/ada-notes/posts", token).json()["posts"]
    assert listed[0] == made.json()
    assert (listed[0]["text"], listed[0]["image_url"]) == ("Hello", "https://example.com/a.jpg")
    assert listed[0]["url"].startswith(client.handle.url)


def test_a_text_must_be_one(client: Client) -> None:
    token = client.connect(scope=SCOPE)["access_token"]
    for text in ("", "   ", "x" * 501):
        assert post(client, "ada-notes", token, text).status_code == 400


def test_another_persons_page_is_as_unknown_as_none(client: Client) -> None:
    token = client.connect(person="grace", scope=SCOPE)["access_token"]
    assert post(client, "ada-notes", token).status_code == 404
    assert client.read("/api/pages/ada-notes/posts", token).status_code == 404


def test_each_needs_its_scope(client: Client) -> None:
    reader = client.connect(scope="profile pages")["access_token"]
    assert client.read("/api/pages", reader).status_code == 200
    assert post(client, "ada-notes", reader).status_code == 403
    banker = client.connect()["access_token"]
    assert client.read("/api/pages", banker).status_code == 403
