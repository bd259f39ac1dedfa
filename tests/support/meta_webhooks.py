"""Notices as Meta sends them."""

from typing import Any

from rest_framework.test import APIClient


def send(anonymous: APIClient, text: str) -> Any:
    body = f"signed_request={text}"
    return anonymous.post(PATH, body, content_type="application/x-www-form-urlencoded")


PATH = "/api/v1/webhooks/meta/deauthorize"
