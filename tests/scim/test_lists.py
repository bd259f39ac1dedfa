"""A list says of each person what the person's own address says, at a fraction of the cost."""

from functools import cache
from typing import Any
from unittest.mock import Mock

import pytest
from django.conf import LazySettings

from connections_project.core import places
from connections_project.scim.models import ScimProfile
from tests.scim.conftest import Directory, me
from tests.scim.test_users import KIM
from tests.support.issuer import TestIssuer

PARAMETERS = [
    "",
    "attributes=userName",
    "attributes=name.givenName,emails.value",
    "attributes=urn:ietf:params:scim:schemas:core:2.0:User:userName,META",
    "attributes=emails.nothing,id",
    "attributes=nothing",
    "excludedAttributes=meta,name.familyName",
    "excludedAttributes=emails,id,schemas,active",
    "excludedAttributes=name",
    "excludedAttributes=emails.primary",
]


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_it_says_what_each_address_says(
    directory: Directory, issuer: TestIssuer, parameters: str
) -> None:
    me(issuer.token(sub="came-by-token"))
    known = [
        directory.create(**KIM),
        directory.create(userName="lee", name={"familyName": "Lee"}, active=False),
        directory.create(
            userName="max", emails=[{"value": "max@example.com"}, {"type": "home"}, {}]
        ),
    ]
    came = directory.get('/Users?filter=userName eq "came-by-token"').json()["Resources"][0]
    ids = [came["id"], *(one.json()["id"] for one in known)]
    listed = directory.get(f"/Users?{parameters}").json()
    assert listed["totalResults"] == listed["itemsPerPage"] == 4
    assert listed["Resources"] == [
        directory.get(f"/Users/{one}?{parameters}").json() for one in ids
    ]


def test_no_resource_is_built_for_each(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        directory.create(userName=f"u{number}")
    built = Mock(side_effect=AssertionError)
    monkeypatch.setattr("connections_project.scim.resources.SentUser", built)
    assert len(directory.get("/Users").json()["Resources"]) == 3


def test_whole_lists_leave_threads_for_others(
    directory: Directory, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEB_THREADS = 4
    monkeypatch.setattr(places, "places", cache(places.places.__wrapped__))
    directory.create(userName="u0")
    with places.a_place("scim_lists"):
        busy = directory.get("/Users")
        assert (busy.status_code, busy["Retry-After"]) == (503, "1")
        assert busy["Content-Type"] == "application/scim+json"
        assert directory.get('/Users?filter=userName eq "u0"').json()["totalResults"] == 1
    assert [directory.get("/Users").status_code for _ in range(2)] == [200, 200]


def test_no_type_is_made_for_a_request(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Mock(side_effect=AssertionError)
    monkeypatch.setattr("pydantic._internal._generics.create_generic_submodel", made)
    gone = directory.create(**KIM).json()["id"]
    for path in ("/Users", "/Schemas", f"/Users/{gone}"):
        assert directory.get(path).status_code == 200
    assert directory.patch(gone, {"op": "remove", "path": "displayName"}).status_code == 200


@pytest.mark.parametrize("profile", ["name", "emails"])
def test_what_is_kept_is_written_as_it_stands(directory: Directory, profile: str) -> None:
    directory.create(**KIM)
    kept: Any = ScimProfile.objects.values_list(profile, flat=True).get()
    assert kept == KIM[profile]
