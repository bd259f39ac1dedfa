"""Bodies that are dear to take apart are refused before that, whoever signed them."""

import base64

import pytest
from rest_framework.test import APIClient

from connections_project.oauth.json_text import MOST_VALUES
from connections_project.webhooks.errors import RefusedNoticeError
from connections_project.webhooks.event_tokens import parse
from connections_project.webhooks.signed_bodies import json_object
from tests.support.steps import steps

LISTS = b"[" + b"[]," * MOST_VALUES + b"[]]"
GOOD = b'{"alg": "RS256", "typ": "secevent+jwt"}'
BAD = b'{"alg": "RS256", "more": ' + LISTS + b"}"


def token_of(header: bytes, claims: bytes) -> bytes:
    parts = (base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header, claims, b"signed"))
    return b".".join(parts)


@pytest.mark.parametrize(("header", "claims"), [(BAD, b"{}"), (GOOD, BAD)])
def test_a_token_of_too_many_values(header: bytes, claims: bytes) -> None:
    assert parse(token_of(GOOD, b"{}"), algorithms=["RS256"])
    with pytest.raises(RefusedNoticeError) as caught:
        parse(token_of(header, claims), algorithms=["RS256"])
    assert caught.value.code == "invalid_request"


def test_a_notice_of_too_many_values() -> None:
    assert json_object(GOOD)
    with pytest.raises(RefusedNoticeError):
        json_object(BAD)


PART = '--x\r\nContent-Disposition: form-data; name="a%d"; %s\r\n\r\n1\r\n'
PARTS = "".join(PART % (number, ";" * 900) for number in range(990)) + "--x--\r\n"


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("signed_request=" + "%41" * 300_000, "application/x-www-form-urlencoded"),
        (PARTS, "multipart/form-data; boundary=x"),
    ],
)
def test_a_form_of_escapes(anonymous: APIClient, form: str, kind: str) -> None:
    def refused(content: str) -> str:
        path = "/api/v1/webhooks/meta/deauthorize"
        answer = anonymous.generic("POST", path, content, content_type=kind)
        assert answer.status_code == 400
        return str(answer.json()["detail"])

    assert refused(form) == "The form has too many escapes."
    assert steps(lambda: refused(form)) < 2 * steps(lambda: refused(";" * 20_001))
