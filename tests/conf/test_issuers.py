"""The file of IDENTITY_ISSUERS: read whole, or the start ends with table and key named."""

from pathlib import Path

import pytest

from connections_project.conf.issuers import Identity, Issuer, Transmitter
from tests.conf.conftest import load, manage, refusal
from tests.conf.test_start import said

MAIN = """
[issuers.main]
issuer = "https://id.example.com"
audiences = ["connections"]
"""
EVENTS = """
[transmitters.main]
issuer = "https://events.example.com"
audience = "https://connections.example.com"
events_issuer = "main"
"""


def identity(tmp_path: Path, text: str) -> Identity:
    path = tmp_path / "issuers.toml"
    path.write_text(text, encoding="utf-8")
    read: Identity = load(IDENTITY_ISSUERS=str(path))["IDENTITY"]
    return read


def test_without_a_file_nobody_is_known() -> None:
    assert load()["IDENTITY"].issuers == {}


def test_what_is_left_out_has_the_contracts_values(tmp_path: Path) -> None:
    known = identity(tmp_path, MAIN + EVENTS)
    assert known.issuers == {
        "https://id.example.com": Issuer(
            name="main",
            issuer="https://id.example.com",
            audiences=("connections",),
            jwks_uri="",
            algorithms=("RS256", "ES256", "EdDSA"),
            subject_claim="sub",
            email_claim="email",
            principal_type_claim="",
            leeway_seconds=30,
        )
    }
    assert known.issuer_named("main") is known.issuers["https://id.example.com"]
    assert known.issuer_named("other") is None
    assert known.transmitters == {
        "main": Transmitter(
            name="main",
            issuer="https://events.example.com",
            audience="https://connections.example.com",
            events_issuer="main",
        )
    }


@pytest.mark.parametrize(
    "line",
    [
        'issuer = "http://127.0.0.1:9000/realms/one"',
        'issuer = "http://localhost:9000"',
        'issuer = "http://[::1]:9000"',
        'jwks_uri = "http://127.0.0.1/keys"',
        'algorithms = ["PS256"]',
        "leeway_seconds = 0",
        'principal_type_claim = ""',
    ],
)
def test_these_values_are_taken(tmp_path: Path, line: str) -> None:
    key = line.split(" =")[0]
    lines = [one for one in MAIN.splitlines() if not one.startswith(f"{key} =")]
    assert identity(tmp_path, "\n".join([*lines, line])).issuers


WRONG = [
    ("issuer = 5", "issuers.main.issuer"),
    ('issuer = ""', "issuers.main.issuer"),
    ('issuer = "http://id.example.com"', "issuers.main.issuer"),
    ('issuer = "https://id.example.com?a=b"', "issuers.main.issuer"),
    ('issuer = "https://user@id.example.com"', "issuers.main.issuer"),
    ('issuer = "https://[id"', "issuers.main.issuer"),
    (f'issuer = "https://{"x" * 250}.example"', "issuers.main.issuer"),
    ('audiences = "connections"', "issuers.main.audiences"),
    ("audiences = []", "issuers.main.audiences"),
    ('audiences = [""]', "issuers.main.audiences"),
    ('jwks_uri = "http://id.example.com/keys"', "issuers.main.jwks_uri"),
    ('algorithms = ["HS256"]', "issuers.main.algorithms"),
    ('algorithms = ["none"]', "issuers.main.algorithms"),
    ('algorithms = ["RS256", "hs512"]', "issuers.main.algorithms"),
    ("algorithms = []", "issuers.main.algorithms"),
    ('subject_claim = ""', "issuers.main.subject_claim"),
    ("email_claim = 5", "issuers.main.email_claim"),
    ("principal_type_claim = true", "issuers.main.principal_type_claim"),
    ("leeway_seconds = -1", "issuers.main.leeway_seconds"),
    ("leeway_seconds = true", "issuers.main.leeway_seconds"),
    ('leeway_seconds = "30"', "issuers.main.leeway_seconds"),
    ('colour = "red"', "issuers.main.colour"),
]


def complaint(tmp_path: Path, text: str) -> str:
    path = tmp_path / "issuers.toml"
    path.write_text(text, encoding="utf-8")
    words = refusal(IDENTITY_ISSUERS=str(path))
    assert words.startswith("Configuration: IDENTITY_ISSUERS is wrong: ")
    assert "\n" not in words
    return words


@pytest.mark.parametrize(("line", "named"), WRONG)
def test_a_wrong_value_is_named(tmp_path: Path, line: str, named: str) -> None:
    key = line.split(" =")[0]
    lines = [one for one in MAIN.splitlines() if not one.startswith(f"{key} =")]
    assert named in complaint(tmp_path, "\n".join([*lines, line]))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[issuers.main]\naudiences = ["a"]', "issuers.main.issuer is given"),
        ('[issuers.main]\nissuer = "https://id.example.com"', "issuers.main.audiences is given"),
        (MAIN + MAIN.replace("main", "twin"), "issuers.twin.issuer is no other"),
        (MAIN + EVENTS.replace('"main"', '"other"'), "transmitters.main.events_issuer"),
        (MAIN + EVENTS.replace("audience =", "audiences ="), "transmitters.main.audiences"),
        (EVENTS, "transmitters.main.events_issuer"),
        ("[colours.main]", "colours"),
        ("issuers = 5", "issuers"),
        ("[issuers]\nmain = 5", "issuers.main"),
        ("[issuers.main", "TOML"),
        ("\x00", "TOML"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, named: str) -> None:
    assert named in complaint(tmp_path, text)


def test_a_wrong_file_ends_a_real_start(tmp_path: Path) -> None:
    path = tmp_path / "issuers.toml"
    path.write_text(MAIN.replace("https://id", "http://id"), encoding="utf-8")
    words = said(manage("check", IDENTITY_ISSUERS=str(path)))
    assert "issuers.main.issuer" in words
