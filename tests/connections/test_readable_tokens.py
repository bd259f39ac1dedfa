"""Whatever follows a token endpoint's 200: what can be read of the tokens is stored or revoked."""

import gzip
import json
import zlib
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from channels.models import ChannelConnection
from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from providers.models import Connection, Status
from social.models import SocialAccount
from tests.conftest import UseCatalogue
from tests.support import bank as banks
from tests.support import chirp as chirps
from tests.support import gallery as galleries
from tests.support.bank import Bank
from tests.support.chirp import Chirp
from tests.support.gallery import Gallery
from tests.support.platform_server import Answer, PlatformServer, Request
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db(transaction=True)

HUGE = b"1e99999999999999999999"
BOTH = b'"access_token": "at", "refresh_token": "rt"'
WHOLE = b"{" + BOTH + b"}"
# What is answered, and what can be read of it.
ODD = {
    "a huge number": (b"{" + BOTH + b', "expires_in": ' + HUGE + b"}", {"at", "rt"}),
    "a refresh token of another type": (
        b'{"access_token": "at", "refresh_token": {"value": 7}}',
        {"at"},
    ),
    "a number as refresh token": (b'{"access_token": "at", "refresh_token": 7}', {"at", "7"}),
    "an access token that is none": (b'{"access_token": null, "refresh_token": "rt"}', {"rt"}),
    "a token of control characters": (
        b'{"access_token": "a\\u0000t", "refresh_token": "rt"}',
        {"rt"},
    ),
    "half of it in UTF-16": (f"{{{BOTH.decode()}, ".encode("utf-16")[:-1], {"at", "rt"}),
    "half of it": (b"{" + BOTH + b', "scope": "re', {"at", "rt"}),
    "bytes that are no text": (b"{" + BOTH + b', "scope": "\xff\xfe"}', {"at", "rt"}),
    "a list": (b"[{" + BOTH + b"}]", {"at", "rt"}),
    "one level too deep": (b'{"data": {' + BOTH + b"}}", {"at", "rt"}),
    "a form": (b"access_token=at&refresh_token=rt&token_type=bearer", {"at", "rt"}),
    "an error beside": (b'{"error": "odd", "refresh_token": "rt"}', {"rt"}),
    "JSON in JSON": (json.dumps(WHOLE.decode()).encode(), {"at", "rt"}),
    "JSON in a member": (json.dumps({"body": WHOLE.decode()}).encode(), {"at", "rt"}),
    "JSON in JSON, and on": (json.dumps(json.dumps([WHOLE.decode()])).encode(), {"at", "rt"}),
    "a refresh token in a list": (b'{"access_token": "at", "refresh_token": ["rt"]}', {"at", "rt"}),
    "a refresh token in an object": (
        b'{"access_token": "at", "refresh_token": { "value" : "rt" }}',
        {"at", "rt"},
    ),
    "two refresh tokens": (b'{"access_token": "at", "refresh_token": ["r1", "r2"]}', {"at"}),
    "a list in UTF-16": (b"[{%b}]".replace(b"%b", BOTH).decode().encode("utf-16"), {"at", "rt"}),
    "a form after a byte order mark": (
        b"\xef\xbb\xbfaccess_token=at&refresh_token=rt",
        {"at", "rt"},
    ),
    "too many values": (b"{" + BOTH + b', "scope": [' + b"0," * 100_001 + b"0]}", {"at", "rt"}),
}
ODD |= {
    "trailing garbage": (WHOLE + b");", {"at", "rt"}),
    "a comment before": (b"while(1);" + WHOLE, {"at", "rt"}),
    "JSONP": (b"callback(" + WHOLE + b")", {"at", "rt"}),
    "two objects": (b'{"access_token": "at"}\n{"refresh_token": "rt"}', {"at", "rt"}),
    "XML": (
        b'<?xml version="1.0"?><OAuth><access_token>at</access_token>'
        b"<refresh_token>rt</refresh_token></OAuth>",
        {"at", "rt"},
    ),
    "XML in a namespace": (
        b'<o:token xmlns:o="urn:o"><o:access_token type="Bearer">\n a&amp;t \n</o:access_token>'
        b"<o:refresh_token><![CDATA[rt]]></o:refresh_token></o:token>",
        {"a&t", "rt"},
    ),
    "XML without a refresh token": (
        b"<t><access_token>at</access_token><refresh_token/></t>",
        {"at"},
    ),
}
ODD |= {
    "an empty one last, and garbage": (b"{" + BOTH + b', "refresh_token": ""},', {"at", "rt"}),
    "a line's end": (b'{"access_token": "at\\n", "refresh_token": "rt\\r\\n"}', {"at", "rt"}),
    "a form in lines": (b"access_token=at\nrefresh_token=rt\n", {"at", "rt"}),
    "a form in lines of CRLF": (b"access_token=at\r\nrefresh_token=rt", {"at", "rt"}),
    "a form as of XML": (b"access_token=at&amp;refresh_token=rt", {"at", "rt"}),
    "a form with semicolons": (b"access_token=at;refresh_token=rt", {"at", "rt"}),
    "a query": (b"?access_token=at&refresh_token=rt", {"at", "rt"}),
    "tokens in objects with more": (
        b'{"access_token": {"type": "x", "token": "at", "n": 5},'
        b' "refresh_token": {"value": "rt", "n": 5}}',
        {"at", "rt"},
    ),
}
PACKED = gzip.compress(WHOLE)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
# Answers that break off, or go on, after their tokens.
BROKEN = {
    "cut short": Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + WHOLE),
    "a bad chunk": Answer(raw=CHUNKED + b"%x\r\n%b\r\nzz\r\n" % (len(WHOLE), WHOLE)),
    "a missing chunk": Answer(raw=CHUNKED + b"%x\r\n%b\r\n" % (len(WHOLE), WHOLE)),
    "chunks of gzip that break off": Answer(
        raw=CHUNKED.replace(b"chunked", b"gzip, chunked") + b"500\r\n" + PACKED
    ),
    "neither chunks nor gzip": Answer(raw=CHUNKED.replace(b"chunked", b"gzip, chunked") + WHOLE),
    "a chunk that breaks off": Answer(raw=CHUNKED + b"500\r\n" + WHOLE),
    "two lengths, and no whole of it": Answer(
        raw=b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 500\r\n\r\n{" + BOTH
    ),
    "lines that are no chunks": Answer(raw=CHUNKED + b"{\n" + BOTH + b",\n"),
    "a form that is no chunk": Answer(raw=CHUNKED + b"access_token=at&refresh_token=rt"),
    "no end": Answer(body=WHOLE + b" " * 3 * 1024 * 1024),
    **{
        f"no {coding}": Answer(body=WHOLE, headers={"Content-Encoding": coding})
        for coding in ("gzip", "deflate", "gzip, deflate", "gzip, br")
    },
    "gzip said to be deflate": Answer(body=PACKED, headers={"Content-Encoding": "deflate"}),
    "deflate said to be gzip": Answer(
        body=zlib.compress(WHOLE), headers={"Content-Encoding": "gzip"}
    ),
    "gzip that is not said": Answer(body=PACKED),
    "gzip of a wrong sum": Answer(
        body=PACKED[:-8] + bytes(8), headers={"Content-Encoding": "gzip"}
    ),
    "chunks of no gzip": Answer(
        raw=CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
        + b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (WHOLE[:5], len(WHOLE) - 5, WHOLE[5:])
    ),
    "a status of failure": Answer(500, body=WHOLE),
    "a status of refusal": Answer(400, body=WHOLE),
    "a status of redirection": Answer(302, body=WHOLE, headers={"Location": "/elsewhere"}),
}
ANSWERS = {
    **{name: (Answer(body=body), readable) for name, (body, readable) in ODD.items()},
    **{name: (answer, {"at", "rt"}) for name, answer in BROKEN.items()},
}
odd = pytest.mark.parametrize(("answer", "readable"), ANSWERS.values(), ids=ANSWERS)


@odd
def test_an_odd_exchange_is_revoked(
    api: APIClient, bank: Bank, answer: Answer, readable: set[str]
) -> None:
    bank.server.on("POST", "/token", answer)
    assert banks.call_back(api, banks.start(api)).status_code == 502
    assert set(bank.revoked) == readable
    assert Connection.objects.get().status == Status.FAILED


@odd
def test_an_odd_refresh_is_kept(
    api: APIClient, owner: User, bank: Bank, answer: Answer, readable: set[str]
) -> None:
    row = connection_of(owner)
    bank.server.on("POST", "/token", answer)
    path = f"/api/v1/providers/{row.pk}/token-refreshes"
    assert api.post(path, {"force": True}, format="json").status_code == 502
    row.refresh_from_db()
    tokens = row.opened()
    assert row.status == Status.ACTIVE
    assert readable <= {tokens.access_token, tokens.refresh_token}
    assert bank.revoked == []


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(WHOLE)
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
# Answers that come in an odd way, and are whole.
WHOLE_ANSWERS = {
    "early hints": EARLY + HEAD,
    "all kinds of hints": b"HTTP/1.1 100 Continue\r\n\r\n" + 2 * EARLY + HEAD,
    "hints that are being processed": b"HTTP/1.1 102 Processing\r\n\r\n" + HEAD,
    "very many hints": 100 * EARLY + HEAD,
    "a version that it isn't": HEAD.replace(b"HTTP/1.1", b"HTTP/2"),
    "a version to come": HEAD.replace(b"HTTP/1.1", b"HTTP/1.2"),
    "many headers": HEAD + b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(150)),
    "many hints with many headers": EARLY[:-2] + b"X-A: b\r\n" * 150 + b"\r\n" + HEAD,
    "one length twice": HEAD + HEAD.splitlines(keepends=True)[1],
    "no length": b"HTTP/1.1 200 OK\r\n",
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n",
    "headers and then some": HEAD + b"no header at all\r\n",
    "two lengths": HEAD + b"Content-Length: 5\r\n",
    "two lengths, the shorter one first": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
    + HEAD.splitlines(keepends=True)[1],
    "two lengths in one": b"HTTP/1.1 200 OK\r\nContent-Length: 5, %d\r\n" % len(WHOLE),
    "chunks that are none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
    "chunks that are none, and a length": HEAD + b"Transfer-Encoding: chunked\r\n",
}


# The same of bodies that were packed on their way (RFC 9112, section 6.1).
CODED_ANSWERS = {
    "gzip, chunked": b"%x\r\n%b\r\n0\r\n\r\n" % (len(PACKED), PACKED),
    "GZIP\r\nTransfer-Encoding: Chunked": b"%x\r\n%b\r\n0\r\n\r\n" % (len(PACKED), PACKED),
    "deflate, gzip": gzip.compress(zlib.compress(WHOLE)),
    "gzip\r\nContent-Encoding: deflate": gzip.compress(zlib.compress(WHOLE)),
    "identity": WHOLE,
    # They override a length (RFC 9112, section 6.3).
    "identity, chunked\r\nContent-Length: 5": b"%x\r\n%b\r\n0\r\n\r\n" % (len(WHOLE), WHOLE),
    f"gzip\r\nContent-Length: {len(PACKED)}": PACKED,
}


@pytest.mark.parametrize(("codings", "body"), CODED_ANSWERS.items(), ids=CODED_ANSWERS)
def test_transfer_codings_are_undone(api: APIClient, bank: Bank, codings: str, body: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {codings}\r\n\r\n".encode()
    bank.server.on("POST", "/token", Answer(raw=head + body))
    assert banks.connect(api).opened() == TokenSet("at", "rt")
    assert bank.revoked == []


# Bodies that are whole token responses, though not as RFC 6749, section 5.1, has them.
WHOLE_BODIES = {
    "a byte order mark": b"\xef\xbb\xbf" + WHOLE,
    "UTF-16": WHOLE.decode().encode("utf-16"),
    "UTF-32": WHOLE.decode().encode("utf-32-le"),
    "blanks around": b"\r\n " + WHOLE + b"\n\n",
    "one key twice": b'{"access_token": "at", ' + BOTH + b"}",
    **{
        f"one key twice, and last {empty.decode()}": (
            b"{" + BOTH + b', "refresh_token": %b, "access_token": %b}' % (empty, empty)
        )
        for empty in (b'""', b"null", b"{}", b"[]", b"NaN")
    },
}


@pytest.mark.parametrize("body", WHOLE_BODIES.values(), ids=WHOLE_BODIES)
def test_a_body_that_is_whole_is_stored(api: APIClient, bank: Bank, body: bytes) -> None:
    bank.server.on("POST", "/token", Answer(body=body))
    assert banks.connect(api).opened() == TokenSet("at", "rt")


@pytest.mark.parametrize("head", WHOLE_ANSWERS.values(), ids=WHOLE_ANSWERS)
def test_an_answer_that_is_whole_is_stored(api: APIClient, bank: Bank, head: bytes) -> None:
    # Else the next call may go out on the connection before its end is seen.
    head = head.replace(b" 200 OK\r\n", b" 200 OK\r\nConnection: close\r\n")
    bank.server.on("POST", "/token", Answer(raw=head + b"\r\n" + WHOLE))
    row = banks.connect(api)
    assert row.opened() == TokenSet("at", "rt")
    assert bank.revoked == []


def test_a_body_in_the_charset_that_is_said_is_stored(api: APIClient, bank: Bank) -> None:
    body = WHOLE[:-1] + ', "scope": "é"}'.encode("latin-1")
    headers = {"Content-Type": "application/json;charset=iso-8859-1"}
    bank.server.on("POST", "/token", Answer(body=body, headers=headers))
    assert banks.connect(api).opened() == TokenSet("at", "rt")


def test_a_status_alone_is_no_dead_grant_where_tokens_come(
    api: APIClient, owner: User, bank: Bank, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(bank.catalogue(more="dead_grant = [{ status = 400 }]"), "bank")
    row = connection_of(owner)
    bank.server.on("POST", "/token", Answer(400, body=WHOLE))
    path = f"/api/v1/providers/{row.pk}/token-refreshes"
    assert api.post(path, {"force": True}, format="json").status_code == 502
    row.refresh_from_db()
    assert (row.status, row.opened()) == (Status.ACTIVE, TokenSet("at", "rt"))


@pytest.mark.parametrize(
    "echo",
    [
        {"error": "invalid_request", "access_token": "a-1", "refresh_token": "r-1"},
        {"message": "invalid token", "code": 190, "access_token": "a-1"},
        *(
            {name: "no", "access_token": "a-1", "refresh_token": "r-1"}
            for name in ("message", "code", "error_type", "errorMessage", "detail", "title")
        ),
        {"grant_type": "refresh_token", "access_token": "a-1", "refresh_token": "r-1"},
        {"access_token": "a-1", "refresh_token": "refresh-0"},
        {"access_token": "refresh-0", "refresh_token": "r-1"},
        {"access_token": "acc***", "refresh_token": "ref***"},
        {"access_token": "REDACTED", "refresh_token": "[redacted]"},
        {"access_token": "refresh-0", "token_type": "bearer"},
    ],
)
@pytest.mark.parametrize("status", [400, 500])
def test_an_echo_in_a_refusal_is_no_token(
    api: APIClient, owner: User, bank: Bank, echo: dict[str, Any], status: int
) -> None:
    row = connection_of(owner)
    bank.server.on("POST", "/token", Answer(status, json=echo))
    path = f"/api/v1/providers/{row.pk}/token-refreshes"
    assert api.post(path, {"force": True}, format="json").status_code == 502
    row.refresh_from_db()
    assert row.opened() == TokenSet("access-0", "refresh-0")


ECHOES = {
    "an error": Answer(json={"error": "odd", "refresh_token": "refresh-0"}),
    "an error, and a mask": Answer(json={"error": "odd", "refresh_token": "********"}),
    "half of it": Answer(body=b'{"refresh_token": "refresh-0", "access_token": "re'),
    "an answer that breaks off": Answer(
        raw=b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nrefresh_token=refresh-0&"
    ),
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_what_was_sent_is_not_fresh_in_a_success(
    api: APIClient, owner: User, bank: Bank, echo: Answer
) -> None:
    row = connection_of(owner)
    bank.server.on("POST", "/token", echo)
    path = f"/api/v1/providers/{row.pk}/token-refreshes"
    assert api.post(path, {"force": True}, format="json").status_code == 502
    stored = Connection.objects.get()
    assert (stored.opened(), stored.epoch) == (TokenSet("access-0", "refresh-0"), row.epoch)


def test_a_code_that_comes_back_is_not_revoked(api: APIClient, bank: Bank) -> None:
    def echo(request: Request) -> Answer:
        return Answer(400, json={"access_token": request.form["code"], "token_type": "bearer"})

    bank.server.on("POST", "/token", echo)
    assert banks.call_back(api, banks.start(api)).status_code == 502
    assert bank.revoked == []


def test_a_missing_access_token_is_renewed(api: APIClient, owner: User, bank: Bank) -> None:
    row = connection_of(owner)
    half = Answer(json={"refresh_token": "rt"})
    bank.server.on("POST", "/token", half, bank.tokens())
    path = f"/api/v1/providers/{row.pk}/token-refreshes"
    assert api.post(path, {"force": True}, format="json").status_code == 502
    assert api.post(path, {}, format="json").json()["message"] == "Token refreshed"
    sent = [one.form["refresh_token"] for one in bank.token_requests("refresh_token")]
    assert sent == ["refresh-0", "rt"]


def test_late_odd_tokens_are_revoked(api: APIClient, owner: User, bank: Bank) -> None:
    row = connection_of(owner)

    def disconnected_meanwhile(_: object) -> Answer:
        Connection.objects.filter(pk=row.pk).update(
            status=Status.DISCONNECTED,
            auth_state=None,
            has_refresh_token=False,
            token_issued_at=None,
            token_expires_at=None,
            grant_expires_at=None,
            disconnected_at=timezone.now(),
            epoch=row.epoch + 1,
        )
        connection.close()
        return Answer(body=b"{" + BOTH + b', "scope": "re')

    bank.server.on("POST", "/token", disconnected_meanwhile)
    path = f"/api/v1/providers/{row.pk}/token-refreshes"
    assert api.post(path, {"force": True}, format="json").status_code == 403
    assert set(bank.revoked) == {"at", "rt"}


def test_channels_and_social_revoke_them_too(
    api: APIClient, server: PlatformServer, use_catalogue: UseCatalogue
) -> None:
    chirp, gallery = Chirp(server), Gallery(server)
    chirp.open()
    gallery.open()
    use_catalogue(chirp.catalogue() + gallery.catalogue(), "chirp", "gallery")
    server.on("POST", "/token", Answer(body=b"{" + BOTH))
    assert chirps.call_back(api, chirps.start(api)).status_code == 502
    assert galleries.call_back(api, galleries.start(api)).status_code == 502
    assert chirp.revoked == ["rt", "at"] * 2
    assert not ChannelConnection.objects.exists()
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("number", [HUGE, b"-" + HUGE, b"9" * 5000])
@pytest.mark.parametrize("path", ["/me", "/accounts"])
def test_odd_numbers_elsewhere_are_malformed(
    api: APIClient, bank: Bank, path: str, number: bytes
) -> None:
    row = banks.connect(api)
    bank.server.on("GET", path, Answer(body=b'{"sub": "customer-7", "n": ' + number + b"}"))
    answers: list[Any] = [
        api.post("/api/v1/accounts/syncs", {"connection_id": str(row.pk)}, format="json")
        if path == "/accounts"
        else banks.call_back(api, banks.start(api))
    ]
    assert [one.status_code for one in answers] == [502]
