"""`--help` of each command of ours: every option is explained, and the examples can be typed."""

import re
import shlex

import pytest
from django.core.management import get_commands, load_command_class

from tests.docs.test_pages import OUR_APPS

# Django's own, whose help is Django's: ours only adds what is done after it.
DJANGOS = {"migrate"}
OURS = {
    name: app
    for name, app in sorted(get_commands().items())
    if isinstance(app, str) and app.startswith(OUR_APPS) and name not in DJANGOS
}
# What these print is data already, or the table of a document, or is watched by a person.
PRINT_NO_RESULT = {"export_audit_log", "follow_audit_log", "platform_table", "sandbox"}
# What other commands of a line, or its shell, make of what is printed.
FURTHER = {"|", ">", ">>", "<"}


def calls(examples: str) -> list[list[str]]:
    """Return the arguments of each call of manage.py that the examples show."""
    joined = re.sub(r"\\\n\s*", "", examples)
    found = re.findall(r"^  (?:\w+=\$\()?manage\.py (.+?)\)?$", joined, re.MULTILINE)
    return [_without_the_rest(shlex.split(re.split(r" {3,}", line)[0])) for line in found]


def _without_the_rest(words: list[str]) -> list[str]:
    ends = [words.index(one) for one in FURTHER if one in words]
    return words[: min(ends, default=len(words))]


@pytest.mark.parametrize("name", OURS)
def test_its_help_shows_how_to_call_it(name: str) -> None:
    parser = load_command_class(OURS[name], name).create_parser("manage.py", name)
    assert not [one.dest for one in parser._actions if not one.help]
    examples = [words for words in calls(parser.epilog or "") if words[0] == name]
    # Those of run_revocations call it by its present name.
    assert examples or name == "run_revocations"
    for option in parser._actions:
        # Their files and ids need not be there.
        option.type = None
    for _, *arguments in examples:
        parser.parse_args(arguments)


@pytest.mark.parametrize("name", sorted(OURS.keys() - PRINT_NO_RESULT))
def test_its_result_can_be_had_as_json(name: str) -> None:
    parser = load_command_class(OURS[name], name).create_parser("manage.py", name)
    assert "--json" in parser._option_string_actions
