"""Timestamps of the log's heads by somebody else's authority (RFC 3161).

Whoever steals the signing key can seal the log anew, but nobody dates an authority's word back.
Each seal names its predecessor's head, so one head's timestamp vouches for all seals up to it.
"""

import logging
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

from cryptography.x509 import Certificate
from django.conf import settings
from django.db import IntegrityError, transaction

from audit import statements
from audit.models import Seal, Timestamp
from connections_project.core.parsing import render_datetime
from connections_project.oauth.answers import require_success
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.messages import Request
from connections_project.oauth.transport import send

logger = logging.getLogger(__name__)

# Who is called, in metrics and errors.
AUTHORITY = "audit_timestamps"
SECONDS = 10.0
# RFC 3161, section 3.4.
_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


class NotTimestampedError(Exception):
    """An answer is no timestamp, or none that can be trusted; the text says why."""


class OtherHeadError(NotTimestampedError):
    """An authority that is trusted has signed another head."""


def timestamp_last() -> None:
    """Have the last seal's head timestamped, unless it is, or AUDIT_TIMESTAMP_URL names nobody.

    An authority that is away is logged, and asked again after the next seal.
    """
    seal = Seal.objects.order_by("-number").first() if settings.AUDIT_TIMESTAMP_URL else None
    if seal is None or hasattr(seal, "timestamp"):
        return
    try:
        response = _requested(seal)
    except (PlatformError, NotTimestampedError) as error:
        logger.error("The head of seal %d was not timestamped: %s", seal.number, error)  # noqa: TRY400 (What went wrong is the authority's; a traceback adds nothing.)
        return
    # Another sealer may have been faster.
    with suppress(IntegrityError), transaction.atomic():
        Timestamp(seal=seal, response=response).save(force_insert=True)


def timestamped_at(response: bytes, *, head: str, roots: Collection[Certificate]) -> datetime:
    """Return when an authority has seen a head, which it has signed.

    Args:
        response: The authority's answer, a TimeStampResp.
        head: The head's hexadecimal digits.
        roots: Whom to trust; certificates between these and the authority's may be among them.

    Raises:
        NotTimestampedError: It is no timestamp, or nobody's who is trusted.
        OtherHeadError: It is one of another head.
    """
    from rfc3161_client import (  # Few installations have it.
        VerificationError,
        VerifierBuilder,
        decode_timestamp_response,
    )

    try:
        answer = decode_timestamp_response(response)
        verifier = VerifierBuilder(roots=list(roots)).build()
        verifier.verify(answer, answer.tst_info.message_imprint.message)
        made_at, stamped = answer.tst_info.gen_time, answer.tst_info.message_imprint.message
    except (ValueError, VerificationError):
        raise NotTimestampedError("it is not signed by an authority that is trusted") from None
    if stamped != bytes.fromhex(head):
        raise OtherHeadError(f"another head was timestamped at {render_datetime(made_at)}")
    return made_at


def _requested(seal: Seal) -> bytes:
    from rfc3161_client import (  # Few installations have it.
        HashAlgorithm,
        TimestampRequestBuilder,
        decode_timestamp_response,
    )

    text = statements.covered(statements.signed_seal(seal))
    builder = TimestampRequestBuilder().data(text).hash_algorithm(HashAlgorithm.SHA256)
    wanted = builder.build()
    request = Request(
        "POST", settings.AUDIT_TIMESTAMP_URL, headers=_HEADERS, body=wanted.as_bytes()
    )
    body = require_success(send(request, platform=AUTHORITY, within=SECONDS)).body
    try:
        got = decode_timestamp_response(body).tst_info
    except ValueError:
        raise NotTimestampedError("the authority's answer grants none") from None
    if (got.nonce, got.message_imprint.message) != (wanted.nonce, bytes.fromhex(seal.head)):
        raise NotTimestampedError("the answer is to another request")
    if settings.AUDIT_TIMESTAMP_ROOTS:
        timestamped_at(body, head=seal.head, roots=settings.AUDIT_TIMESTAMP_ROOTS)
    return body
