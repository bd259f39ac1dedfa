"""Reading errors in the words of the channels' document."""

from typing import Any

JSON = "application/json"


def only_error(answer: Any) -> dict[str, Any]:
    """Return the one error of an answer, which has the document's fields and no others."""
    assert answer["Content-Type"] == JSON, answer.content
    body = answer.json()
    assert set(body) == {"errors"}
    (error,) = body["errors"]
    assert set(error) - {"meta"} == {"error_code", "error_description", "error_severity"}
    assert error["error_severity"] == "error"
    assert error["error_description"]
    assert error.get("meta", True), "an empty meta is left out"
    return dict(error)


def refusal(answer: Any) -> tuple[int, str]:
    """Return an answer's status and the code of its error."""
    return answer.status_code, only_error(answer)["error_code"]


def wrong_fields(answer: Any) -> list[str]:
    """Return the names of the fields that a 400 complains about."""
    assert answer.status_code == 400, answer.content
    return [each["field"] for each in only_error(answer)["meta"]["fields"]]
