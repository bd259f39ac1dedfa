"""What only the machine itself, or the network between, can do to a call."""

import pytest
import requests
import responses

from connections_project.oauth.client import ClientRegistration, exchange_code
from connections_project.oauth.errors import PlatformError
from tests.oauth.conftest import MakePlatform


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (requests.exceptions.SSLError("certificate of secret-code"), "connect_error"),
        (requests.exceptions.ProxyError("proxy"), "connect_error"),
        (requests.exceptions.InvalidURL("address"), "connect_error"),
        (OSError(24, "Too many open files"), "no_files"),
    ],
)
def test_nothing_sent_yet_is_no_answer_of_the_platform(
    make_platform: MakePlatform, registration: ClientRegistration, fault: Exception, code: str
) -> None:
    platform = make_platform(token_endpoint="https://bank.example.com/token")
    with responses.RequestsMock() as result:
        result.post(platform.token_endpoint, body=fault)
        with pytest.raises(PlatformError) as caught:
            exchange_code(
                platform, registration, code="c", redirect_uri="https://a", code_verifier=None
            )
    assert caught.value.code == code
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None
