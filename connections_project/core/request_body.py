"""What a body may be, and why one was refused, wherever it is read."""

LARGEST_BODY = 1024 * 1024  # bytes
# A form of the pages has a few short fields, and the admin's have some hundred ids. To take one
# apart costs far more than to receive it.
LARGEST_FORM = 128 * 1024
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

# In the environ of a request whose body the server has taken in already: True, or the status of
# the refusal.
RECEIVED_KEY = "connections_project.body_received"


class BodyRefusedError(Exception):
    """A body that isn't taken.

    Args:
        status: 400 where it is not what its header announced, 408 where it came too late, 413
            where it is larger than `LARGEST_BODY`, or a form than `LARGEST_FORM`, 503 where too
            much is being received.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"The body was refused with {status}.")
        self.status = status


def announced_length(text: str) -> int:
    """Return what a Content-Length says, 0 for none (RFC 9110, section 8.6).

    Raises:
        BodyRefusedError: 400 for what is no number of bytes, 413 beyond the largest body.
    """
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise BodyRefusedError(400)
    # Longer than any that could pass: `int` would spend long on thousands of digits.
    if len(text.lstrip("0")) > len(str(LARGEST_BODY)) or int(text) > LARGEST_BODY:
        raise BodyRefusedError(413)
    return int(text)
