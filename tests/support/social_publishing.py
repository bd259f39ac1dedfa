"""Words that the tests of publishing share."""

from typing import Any

from rest_framework.test import APIClient

from social.models import SocialAccount
from tests.support.gallery import SOCIAL

MORE = 'adapter = "tests.support.gallery_adapter"'


def publish(
    client: APIClient, account: SocialAccount, key: str | None = None, **fields: Any
) -> Any:
    """Publish "Hello", unless the fields say otherwise, under an idempotency key."""
    body = {"accountId": str(account.pk), "caption": "Hello", **fields}
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(f"{SOCIAL}/publish", body, format="json", headers=headers)


def status_and_error(answer: Any) -> tuple[int, str]:
    """Return an answer's status and its `error`."""
    return answer.status_code, answer.json()["error"]
