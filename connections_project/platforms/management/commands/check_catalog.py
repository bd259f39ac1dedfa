"""`manage.py check_catalog`: what is known of the platforms, since when, and what runs out."""

import json as jsonlib
from typing import Any

from django.core.management.base import CommandError, CommandParser

from connections_project.core.commands.base import CommandWithExamples, counted
from connections_project.oauth.catalog import Platform
from connections_project.platforms.catalog import catalog
from connections_project.platforms.catalog_check import Report, check, is_configured


class Command(CommandWithExamples):
    unable = 2
    help = (
        "Tell of each configured platform what the catalogue knows, since when, and what runs out. "
        "With --online its entry is compared with what its servers publish."
    )
    examples = """
examples:
  manage.py check_catalog                          the platforms that have client credentials
  manage.py check_catalog youtube mastodon         these
  manage.py check_catalog --all --online           all of the catalogue, asking their servers
  manage.py check_catalog --online --json | jq -r 'select(.findings != []) | .slug'

--online sends nothing but GET of discovery documents (RFC 8414, OpenID Connect) and HEAD of
endpoints: no credentials, and to global addresses only, or to EVENT_ALLOWED_NETWORKS. Many
platforms publish no document; that is said, and no problem.

Exit codes: 0 no problem, 1 there are some (notices are none), 2 wrong use, or it could not look.
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slugs", nargs="*", metavar="SLUG", help="only these platforms")
        parser.add_argument("--all", action="store_true", help="all active platforms")
        parser.add_argument("--online", action="store_true", help="ask the platforms' servers")
        parser.add_argument("--json", action="store_true", help="print a line of JSON for each")

    def handle(self, *, slugs: list[str], online: bool, json: bool, **options: Any) -> None:
        chosen = _chosen(slugs, everything=options["all"])
        with_problems = 0
        for platform in chosen:
            report = check(platform, online=online)
            with_problems += report.has_problems
            output = jsonlib.dumps(report.as_json()) if json else _text(report, online=online)
            self.stdout.write(output)
        if not chosen and not json:
            self.stdout.write("No platform has client credentials (OAUTH_<SLUG>_CLIENT_ID).")
        if with_problems:
            raise CommandError(f"{counted(with_problems, 'platform')} with problems.")


def _chosen(slugs: list[str], *, everything: bool) -> list[Platform]:
    """Return the platforms that are asked for.

    Raises:
        CommandError: One is unknown.
    """
    if slugs and everything:
        raise CommandError("Either name platforms or give --all.", returncode=2)
    unknown = [slug for slug in slugs if slug not in catalog()]
    if unknown:
        raise CommandError(f"The catalogue has no platform {unknown[0]!r}.", returncode=2)
    if slugs:
        return [catalog()[slug] for slug in slugs]
    active = [one for one in catalog().all() if one.status == "active"]
    return active if everything else [one for one in active if is_configured(one)]


def _text(report: Report, *, online: bool) -> str:
    since = report.checked_on.isoformat() if report.checked_on else "unknown"
    state = "configured" if report.configured else "not configured"
    lines = [
        f"{report.slug} ({report.name}): {state}{', suspended' if report.suspended else ''}",
        f"  compared with its documents: {since}",
        f"  known: {'; '.join(f'{key}: {text}' for key, text in report.known.items())}",
        *(f"  runs out: {one.what} on {one.on} ({one.days_left} days)" for one in report.ends),
    ]
    if online:
        lines.append(f"  publishes: {report.document or 'no document'}")
    lines += [f"  {one.severity}: {one.key} {one.text}" for one in report.findings]
    return "\n".join(lines)
