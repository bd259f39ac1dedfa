"""Bodies without an announced length (RFC 9112, section 7.1): Django would read them as empty."""

from io import BytesIO

from django.http import HttpRequest


def length_of_body(request: HttpRequest, *, most: int) -> int:
    """Say how many bytes the body has, taking a chunked one in to count it.

    Args:
        request: Its body has not been read yet.
        most: How many bytes are taken in; one more tells that there are too many.

    Returns:
        The length, or any number above `most`. A senseless `Content-Length` reads as 0, as it
        does in Django, which then reads no body at all.
    """
    if _is_chunked(request):
        _take_in(request, most=most)
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _is_chunked(request: HttpRequest) -> bool:
    """Tell a chunked body; the server must have promised that reading it ends."""
    promised = request.META.get("wsgi.input_terminated", False)
    return bool(promised and request.headers.get("Transfer-Encoding"))


def _take_in(request: HttpRequest, *, most: int) -> None:
    source, body = request.META["wsgi.input"], b""
    while len(body) <= most and (part := source.read(most + 1 - len(body))):
        body += part
    request.META["CONTENT_LENGTH"] = str(len(body))
    # Django has already decided to read nothing, and offers no public way to think again.
    request._stream = BytesIO(body)
