"""What the demo shows of calls and answers."""

from connections_project.sandbox.local.masking import FIRST, LAST, masked, masked_query, shortened


def test_secrets_are_hidden_at_any_depth() -> None:
    answer = {
        "access_token": "secret-1",
        "rows": [{"refresh_token": "secret-2", "id": 7}],
        "inner": {"password": "secret-3", "state": "secret-4"},
    }
    assert masked(answer) == {
        "access_token": "***",
        "rows": [{"refresh_token": "***", "id": 7}],
        "inner": {"password": "***", "state": "***"},
    }


def test_only_secrets_in_a_query_are_masked() -> None:
    url = "https://bank.example/authorize?client_id=us&state=secret&code_challenge=secret#part"
    shown = masked({"authorization_url": url})["authorization_url"]
    assert shown == (
        "https://bank.example/authorize?client_id=us&state=***&code_challenge=***#part"
    )


def test_a_callbacks_code_and_state_are_hidden() -> None:
    assert masked_query({"code": "secret", "state": "secret", "iss": "http://127.0.0.1:9"}) == (
        "code=***&state=***&iss=http://127.0.0.1:9"
    )


def test_what_is_wrong_with_a_field_can_still_be_read() -> None:
    problem = {"errors": [{"field": "alias", "code": "max_length", "message": "Too long."}]}
    assert masked(problem) == problem


def test_a_long_list_says_how_much_was_left_out() -> None:
    assert masked([1, 2, 3, 4]) == [1, 2, "... 2 more"]
    assert masked([1, 2]) == [1, 2]


def test_a_long_line_loses_its_middle_alone() -> None:
    assert shortened("x" * (FIRST + LAST)) == "x" * (FIRST + LAST)
    assert shortened("a" * FIRST + "middle" + "z" * LAST) == "a" * FIRST + " ... " + "z" * LAST
