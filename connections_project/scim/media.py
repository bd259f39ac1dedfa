"""The bodies of SCIM, as they come and go."""

from io import BytesIO
from typing import IO, Any

from scim2_models import PayloadTooLargeException

from connections_project.api.parsers import JsonObjectParser
from connections_project.api.renderers import OrjsonRenderer
from connections_project.scim.errors import CONTENT_TYPE

# Of one person there is never more to say; to validate a megabyte would take seconds.
LARGEST_BODY = 128 * 1024
# Of a person there are some hundred; to validate thousands takes far longer than to parse them.
MOST_VALUES = 8_000


class ScimRenderer(OrjsonRenderer):
    media_type = CONTENT_TYPE
    charset = None


class ScimParser(JsonObjectParser):
    media_type = CONTENT_TYPE
    most_values = MOST_VALUES

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        body = stream.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise PayloadTooLargeException(detail="The body may have at most 128 KiB.")
        return super().parse(BytesIO(body), media_type, parser_context)


class ScimJsonParser(ScimParser):
    """RFC 7644, section 3.1: this type is taken too."""

    media_type = "application/json"
