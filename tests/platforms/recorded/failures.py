"""What any platform may answer in a bad hour, which says nothing of anybody's grant."""

from tests.support.platform_server import Answer

PASSING = {
    "429": Answer(429, json={"error": "rate_limited"}),
    "503": Answer(503),
    "502 page": Answer(502, body=b"<html>Bad gateway</html>"),
    "200 page": Answer(200, body=b"<html>Maintenance</html>"),
    "500": Answer(500, json={"error": "invalid_grant"}),
}
