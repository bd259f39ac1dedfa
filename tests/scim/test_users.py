"""`/scim/v2/Users`: who is made, found, changed, and what is refused."""

import re
from typing import Any
from unittest.mock import ANY, Mock

import pytest
from django.conf import LazySettings

from audit.models import AuditEvent
from connections_project.identity import provisioning
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.scim import users
from connections_project.scim.tokens import create_token
from tests.scim.conftest import PATCH_SCHEMA, USER_SCHEMA, Directory, me, principal
from tests.support.issuer import TestIssuer

KIM = {
    "externalId": "kim",
    "userName": "Kim@Example.com",
    "displayName": "Kim",
    "name": {"familyName": "Möller", "givenName": "Kim"},
    "emails": [{"value": "kim@example.com", "type": "work", "primary": True}],
}


def refused(answer: Any, status: int, scim_type: str | None = None) -> None:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/scim+json"
    body = answer.json()
    assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert (body["status"], body.get("scimType")) == (str(status), scim_type)


def test_whom_it_makes_comes_in_by_token(directory: Directory, issuer: TestIssuer) -> None:
    answer = directory.create(**KIM, title="nothing is kept of it")
    made = answer.json()
    assert answer.status_code == 201
    assert answer["Content-Type"] == "application/scim+json"
    assert answer["Location"] == made["meta"]["location"]
    assert made["active"] is True
    assert made["meta"]["lastModified"] == made["meta"]["created"]
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}Z", made["meta"]["created"])
    assert {name: made[name] for name in KIM} == KIM
    assert "title" not in made
    known = me(issuer.token(sub="kim", email=None)).json()
    assert (known["principal_id"], known["email"]) == (made["id"], "kim@example.com")
    event = AuditEvent.objects.get(action="user_provisioned")
    assert (event.interface, event.actor_type, str(event.subject_id)) == (
        "scim", "service", made["id"],
    )  # fmt: skip


def test_who_came_by_token_is_found_and_adopted(directory: Directory, issuer: TestIssuer) -> None:
    came = me(issuer.token(sub="kim")).json()["principal_id"]
    (found,) = directory.get('/Users?filter=externalId eq "kim"').json()["Resources"]
    assert (found["id"], found["userName"], found["externalId"]) == (came, "kim", "kim")
    made = directory.create(**KIM)
    assert (made.status_code, made.json()["id"]) == (201, came)
    refused(directory.create(**KIM), 409, "uniqueness")


def test_a_user_name_is_the_subject_until_told(directory: Directory, issuer: TestIssuer) -> None:
    made = directory.create(userName="kim@example.com").json()
    assert "externalId" not in made
    assert me(issuer.token(sub="kim@example.com")).json()["principal_id"] == made["id"]
    operation = {"op": "add", "path": "externalId", "value": "kim"}
    assert directory.patch(made["id"], operation).json()["externalId"] == "kim"
    assert me(issuer.token(sub="kim")).json()["principal_id"] == made["id"]


def test_a_subject_never_changes(directory: Directory) -> None:
    made = directory.create(**KIM).json()
    path = f"/Users/{made['id']}"
    other = {"schemas": [USER_SCHEMA], **KIM, "externalId": "lee"}
    refused(directory.call("PUT", path, other), 400, "mutability")
    for operation in (
        {"op": "replace", "path": "externalId", "value": "lee"},
        {"op": "replace", "value": {"externalId": "lee"}},
        {"op": "remove", "path": "externalId"},
    ):
        refused(directory.patch(made["id"], operation), 400, "mutability")
    without = {"schemas": [USER_SCHEMA], "userName": "kim2@example.com"}
    replaced = directory.call("PUT", path, without).json()
    assert (replaced["externalId"], replaced["userName"]) == ("kim", "kim2@example.com")
    assert "displayName" not in replaced
    assert principal(made).subject == "kim"


def test_a_subject_may_be_given_by_put(directory: Directory) -> None:
    made = directory.create(userName="kim").json()
    body = {"schemas": [USER_SCHEMA], "userName": "kim", "externalId": "k-1"}
    assert directory.call("PUT", f"/Users/{made['id']}", body).json()["externalId"] == "k-1"
    assert principal(made).subject == "k-1"


def test_user_names_are_one_in_any_case(directory: Directory) -> None:
    made = directory.create(**KIM).json()
    refused(directory.create(userName="KIM@example.com", externalId="x"), 409, "uniqueness")
    for term in (
        'userName eq "kim@EXAMPLE.com"',
        'externalId eq "kim"',
        f'id eq "{made["id"].upper()}"',
    ):
        listed = directory.get(f"/Users?filter={term}").json()
        assert [one["id"] for one in listed["Resources"]] == [made["id"]], term
    assert directory.get('/Users?filter=externalId eq "KIM"').json()["totalResults"] == 0


@pytest.mark.parametrize(
    "term",
    ['userName co "k"', 'displayName eq "k"', 'emails[type eq "work"]', "nonsense",
     'userName eq "a" and id eq "b"', 'emails.value eq "k@example.com"',
     'userName eq "\\u0000"', 'externalId eq "\\ud800"'],
)  # fmt: skip
def test_other_filters_are_refused(directory: Directory, term: str) -> None:
    refused(directory.get(f"/Users?filter={term}"), 400, "invalidFilter")


def test_pages_follow_each_other(directory: Directory) -> None:
    made = [directory.create(userName=f"u{number}").json()["id"] for number in range(3)]
    page = directory.get("/Users?startIndex=2&count=1").json()
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (3, 2, 1)
    assert [one["id"] for one in page["Resources"]] == made[1:2]
    assert directory.get("/Users?count=0").json()["totalResults"] == 3
    beyond = directory.get("/Users?startIndex=99999999999999999999").json()
    assert beyond["totalResults"] == 3
    refused(directory.get("/Users?count=many"), 400, "invalidValue")


def test_a_page_costs_as_much_as_one(directory: Directory, django_assert_num_queries: Any) -> None:
    directory.create(userName="u0")
    for number in range(1, 4):
        directory.create(userName=f"u{number}")
    with django_assert_num_queries(3):  # the token, the count, the page
        directory.get("/Users")


@pytest.mark.parametrize(
    ("attributes", "scim_type"),
    [({"userName": ""}, "invalidValue"), ({"userName": None}, "invalidValue"),
     ({"userName": "k" * 256}, "invalidValue"), ({"displayName": "a\u202eb"}, "invalidValue"),
     ({"active": "perhaps"}, "invalidValue"), ({"emails": "k@example.com"}, "invalidValue"),
     ({"displayName": "a\x00b"}, "invalidSyntax"), ({"schemas": ["urn:x"]}, "invalidSyntax")],
)  # fmt: skip
def test_wrong_attributes_are_refused(
    directory: Directory, attributes: dict[str, Any], scim_type: str
) -> None:
    refused(directory.create(**attributes), 400, scim_type)
    assert not User.objects.exists()


def test_errors_are_scims_own(directory: Directory) -> None:
    refused(directory.get("/Groups"), 404)
    refused(directory.get("/Users/no-id"), 404)
    refused(directory.call("POST", "/Users/.search", {}), 501)
    refused(directory.call("GET", "/Me"), 501)
    refused(directory.call("PUT", "/Users", {}), 405)
    refused(directory.call("POST", "/Users", ["no object"]), 400, "invalidSyntax")
    refused(directory.call("POST", "/Users", {"userName": "x" * 2**20}), 413)


@pytest.mark.parametrize("name", ["emails", "schemas", "Operations", "anything"])
def test_more_values_than_any_person_has_are_not_validated(
    directory: Directory, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    validating = Mock(side_effect=AssertionError)
    monkeypatch.setattr("connections_project.scim.views.SentUser", Mock(model_validate=validating))
    refused(directory.call("POST", "/Users", {name: [[]] * 9_000}), 400, "invalidSyntax")


def test_only_a_good_token_comes_in(directory: Directory, settings: LazySettings) -> None:
    wrong = Directory(directory.token[:-1] + ("a" if directory.token[-1] != "a" else "b"))
    refused(wrong.get("/Users"), 401)
    assert wrong.get("/Users")["WWW-Authenticate"].startswith("Bearer")
    refused(Directory("").get("/Users"), 401)
    refused(Directory("x\x00y").get("/Users"), 401)
    settings.IDENTITY = type(settings.IDENTITY)({}, {})
    refused(directory.get("/Users"), 401)


def test_another_issuers_people_are_nobody(
    directory: Directory, issuer: TestIssuer, settings: LazySettings
) -> None:
    known = issuer.settings().issuers[issuer.url]
    other = type(known)(name="other", issuer="https://other.example.com", audiences=("x",))
    settings.IDENTITY = type(settings.IDENTITY)({issuer.url: known, other.issuer: other}, {})
    theirs = Directory(create_token(name="2", issuer="other", origin=command_origin(None)).text)
    made = directory.create(**KIM).json()
    assert theirs.get("/Users").json()["totalResults"] == 0
    refused(theirs.get(f"/Users/{made['id']}"), 404)
    refused(theirs.call("DELETE", f"/Users/{made['id']}"), 404)
    assert theirs.create(**KIM).status_code == 201


def test_requests_draw_on_a_bucket(directory: Directory) -> None:
    assert directory.get("/Users")["X-RateLimit-Limit"] == "1500"


def test_who_comes_by_a_token_meanwhile_is_adopted(
    directory: Directory, issuer: TestIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = provisioning.provision_by_directory

    def beside(**whom: Any) -> User:
        assert me(issuer.token()).status_code == 200
        return make(**whom)

    monkeypatch.setattr(users, "provision_by_directory", beside)
    answer = directory.create(**KIM)
    assert answer.status_code == 201
    assert principal(answer.json()) == User.objects.get(subject="kim")
    refused(directory.create(**KIM), 409, "uniqueness")


@pytest.mark.parametrize(
    "query",
    ["attributes=bad..path[", "attributes=userName&excludedAttributes=emails",
     "excludedAttributes=urn:x:"],
)  # fmt: skip
def test_a_query_that_is_refused_changes_nothing(directory: Directory, query: str) -> None:
    refused(directory.call("POST", f"/Users?{query}", {"schemas": [USER_SCHEMA], **KIM}), 400, ANY)
    made = directory.create(**KIM).json()
    path = f"/Users/{made['id']}"
    patch = {
        "schemas": [PATCH_SCHEMA],
        "Operations": [{"op": "replace", "path": "active", "value": False}],
    }
    put = {"schemas": [USER_SCHEMA], **KIM, "active": False}
    refused(directory.call("PATCH", f"{path}?{query}", patch), 400, ANY)
    refused(directory.call("PUT", f"{path}?{query}", put), 400, ANY)
    assert directory.get(path).json() == made
