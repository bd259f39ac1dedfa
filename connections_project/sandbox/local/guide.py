"""What `make dev-up` says at its end: addresses, people, and the walk to copy into a shell."""

import shlex
from collections.abc import Mapping

from connections_project.sandbox.local.people import OPERATOR, USER
from connections_project.sandbox.people import PEOPLE

FROM_ANSWER = "python3 -c 'import json, sys; print(json.load(sys.stdin)[\"access_token\"])'"

EMPLOYEE, OFFICER = PEOPLE["ada"], PEOPLE["grace"]


def guide(base_url: str, sandbox_url: str, settings: Mapping[str, str]) -> str:
    """Write it.

    Args:
        settings: What commands need besides `.env`, by name.
    """
    addresses, walk = _addresses(base_url, sandbox_url), _walk(base_url, sandbox_url)
    return f"{addresses}{_exported(settings)}{walk}"


def _addresses(base_url: str, sandbox_url: str) -> str:
    people = ", ".join(f"{person.username} / {person.password}" for person in PEOPLE.values())
    return f"""
Service    {base_url}  (/connections, /api/docs, /admin/; logs in .dev/*.log)
Bank       {sandbox_url}  ({people})
User       {USER.email} / {USER.password}
Operator   {OPERATOR.email} / {OPERATOR.password}  (for /admin/; or by single sign-on,
           as {OFFICER.username} at the bank, who is an operator there)
Stop it    make dev-down
"""


def _walk(base_url: str, sandbox_url: str) -> str:
    """Write what to copy into a shell, from the first sign-in to the audit log."""
    return f"""
Sign in and connect the bank, in a shell in this folder (an access token lives 15 minutes):

BASE_URL={base_url}
ACCESS_TOKEN=$(curl -sk -X POST "$BASE_URL/api/v1/auth/login" \\
  -H "Content-Type: application/json" \\
  -d '{{"email": "{USER.email}", "password": "{USER.password}"}}' \\
  | {FROM_ANSWER})
PROVIDER_ID=$(make -s dev-connect)

Disconnect it, look at its status, delete it:

curl -sk -X DELETE "$BASE_URL/api/v1/auth/$PROVIDER_ID/disconnect" \\
  -H "Authorization: Bearer $ACCESS_TOKEN" | python3 -m json.tool
curl -sk "$BASE_URL/api/v1/providers/$PROVIDER_ID" \\
  -H "Authorization: Bearer $ACCESS_TOKEN" | python3 -m json.tool
curl -sk -o /dev/null -w "%{{http_code}}\\n" -X DELETE "$BASE_URL/api/v1/providers/$PROVIDER_ID" \\
  -H "Authorization: Bearer $ACCESS_TOKEN"

Come in as somebody of an organisation, by its issuer's token, without an account here:

ACCESS_TOKEN=$(curl -s "{sandbox_url}/issuer/token" \\
  -d username={EMPLOYEE.username} -d password={EMPLOYEE.password} \\
  | {FROM_ANSWER})
curl -sk "$BASE_URL/api/v1/me" -H "Authorization: Bearer $ACCESS_TOKEN" | python3 -m json.tool

Be told of what happens, in another shell; its receiver verifies each event and prints it:

SECRET=$(.venv/bin/python manage.py create_event_endpoint http://127.0.0.1:9001/) \\
  .venv/bin/python -m connections_project.sandbox.receiver --port 9001

See what the audit log says about it:

.venv/bin/python manage.py show_audit_trail "$PROVIDER_ID"
"""


def _exported(settings: Mapping[str, str]) -> str:
    """Write what a shell that calls manage.py has to set; nothing at the usual ports."""
    if not settings:
        return ""
    named = " ".join(f"{name}={shlex.quote(value)}" for name, value in settings.items())
    return f"""
For manage.py at these ports, in each shell (`.env` has the usual ones):

export {named}
"""
