"""What a caller writes about itself counts only behind proxies that are trusted."""

from typing import Any

import pytest
from django.test import Client

A, B, C = "203.0.113.7", "198.51.100.2", "192.0.2.9"

# Proxies that are trusted, X-Forwarded-For, and the address that results; the peer is 10.0.0.1.
CASES = [
    (0, "", "10.0.0.1"),
    (0, A, "10.0.0.1"),
    (1, A, A),
    (1, f"{B}, {A}", A),
    (2, f"{C}, {A}, {B}", A),
    (2, A, "10.0.0.1"),
    (1, "", "10.0.0.1"),
    (1, "nonsense", "10.0.0.1"),
    (1, f"{A}:4711", A),
    (1, "2001:DB8::1", "2001:db8::1"),
    (1, "[2001:db8::1]:443", "2001:db8::1"),
    (1, "[2001:db8::1]", "2001:db8::1"),
    (1, f"::ffff:{A}", A),
    (1, "fe80::1%eth0", "fe80::1"),
]


@pytest.mark.parametrize(("proxies", "header", "address"), CASES)
def test_the_address_is_what_the_outer_proxy_saw(
    site: Client, settings: Any, proxies: int, header: str, address: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    headers = {"X-Forwarded-For": header} if header else {}
    response = site.get("/who", headers=headers, REMOTE_ADDR="10.0.0.1")
    assert response.json()["address"] == address


@pytest.mark.parametrize("peer", ["", "unix:"])
def test_an_unknown_peer_is_no_address(site: Client, peer: str) -> None:
    assert site.get("/who", REMOTE_ADDR=peer).json()["address"] == ""


@pytest.mark.parametrize(
    ("proxies", "header", "scheme"),
    [
        (0, "https", "http"),
        (1, "https", "https"),
        (1, "HTTPS", "https"),
        (1, "https, http", "http"),
        (2, "https, http", "https"),
        (2, "https", "http"),
        (1, "gopher", "http"),
        (1, "", "http"),
    ],
)
def test_the_scheme_is_what_the_outer_proxy_saw(
    site: Client, settings: Any, proxies: int, header: str, scheme: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    response = site.get("/who", headers={"X-Forwarded-Proto": header})
    assert response.json()["scheme"] == scheme
