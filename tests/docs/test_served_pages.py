"""`/docs/{name}.md`: the pages where the API is, and its description's links to them."""

import re

import pytest
from django.test import Client

from connections_project.conf.openapi import DESCRIPTION
from tests.support.process_environment import ROOT


@pytest.mark.parametrize("path", re.findall(r"\]\((/docs/[^)]+)\)", DESCRIPTION))
def test_the_descriptions_links_lead_to_the_pages(path: str, client: Client) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content == (ROOT / "docs" / path.rpartition("/")[2]).read_bytes()


@pytest.mark.parametrize(
    "name", ["nothing", "..%2fREADME", "images%2farchitecture", "api.md%00", "a" * 400]
)
def test_nothing_else_is_served(name: str, client: Client) -> None:
    answer = client.get(f"/docs/{name}.md")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
