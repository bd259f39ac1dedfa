"""PostgreSQL is away: whatever is asked, the answer is a 503 that says when to ask again."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.faults.conftest import Deploy
from tests.faults.test_postgresql_restarts import run
from tests.support.platform_server import free_port
from tests.support.postgresql_cluster import Cluster

SCIM = {"Authorization": f"Bearer scim_{'a' * 43}"}
COOKIES = {"Cookie": f"sessionid={'a' * 32}; csrftoken={'c' * 32}"}
FORM = COOKIES | {"Content-Type": "application/x-www-form-urlencoded", "Referer": "{url}/"}
SIGN_IN = f"csrfmiddlewaretoken={'c' * 32}&email=a@example.com&username=a@example.com&password=pw"
DOORS = [
    ("GET", "/api/v1/providers", {}, ""),
    ("GET", "/api/v1/channels/connections", {}, ""),
    ("GET", "/api/v1/connections", {}, ""),
    ("POST", "/api/v1/auth/login", {}, '{"email": "a@example.com", "password": "pw"}'),
    ("GET", "/scim/v2/Users", SCIM, ""),
    ("GET", "/connections", COOKIES, ""),
    ("POST", "/sign-in", FORM, SIGN_IN),
    ("GET", "/admin/", COOKIES, ""),
    ("GET", "/admin/audit/auditevent/", COOKIES, ""),
    ("POST", "/admin/login/", FORM, SIGN_IN),
    ("GET", "/data-deletion/abcdefgh", {}, ""),
    ("GET", "/readyz", {}, ""),
]


@pytest.fixture
def site(deploy: Deploy, database: Cluster) -> Iterator[tuple[str, str]]:
    """Return the address of a web process whose database has gone, and a token from before."""
    deployment = deploy(DATABASE_URL=database.url)
    ((token, _),) = json.loads(run(deployment, "-m", "tests.support.fill_database", "1"))
    port = free_port()
    with deployment.web(port):
        database.stop()
        yield f"http://127.0.0.1:{port}", token
    database.start()


def asked(url: str, token: str, door: tuple[str, str, dict[str, str], str]) -> tuple[int, bool]:
    method, path, headers, body = door
    sent = {name: value.format(url=url) for name, value in headers.items()}
    sent = sent or {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer = requests.request(
        method, url + path, headers=sent, data=body, timeout=30, allow_redirects=False
    )
    return answer.status_code, "Retry-After" in answer.headers


def test_each_says_when_to_ask_again(site: tuple[str, str]) -> None:
    with ThreadPoolExecutor(len(DOORS)) as threads:
        answers = list(threads.map(lambda door: asked(*site, door), DOORS))
    doors = [path for _, path, *_ in DOORS]
    assert dict(zip(doors, answers, strict=True)) == dict.fromkeys(doors, (503, True))
