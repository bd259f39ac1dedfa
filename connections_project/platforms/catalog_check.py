"""What is known of a platform's entry, since when, what runs out, and what others say of it."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from connections_project.oauth.catalog import Platform
from connections_project.oauth.comparison import Finding, differences, notice, problem
from connections_project.oauth.discovery import MetadataError
from connections_project.platforms.adapter import missing_functions
from connections_project.platforms.capabilities import COLUMNS, capabilities
from connections_project.platforms.catalog import client_registration
from connections_project.platforms.discovery import first_metadata, is_reachable
from connections_project.platforms.registry import Upstream, has_credentials, is_suspended

SOON_DAYS = 60
OLD_DAYS = 365


@dataclass(frozen=True)
class Ending:
    """Something of an entry that runs out."""

    what: str
    on: date
    days_left: int


@dataclass
class Report:
    """What is known of one platform.

    Args:
        known: What can be done there, by the columns of the table in docs/platforms.md.
        document: Where its server describes itself; empty where it doesn't, or wasn't asked.
    """

    slug: str
    app: str
    name: str
    configured: bool
    suspended: bool
    checked_on: date | None
    known: dict[str, str]
    ends: list[Ending]
    document: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def has_problems(self) -> bool:
        return any(one.severity == "problem" for one in self.findings)

    def as_json(self) -> dict[str, Any]:
        checked_on = self.checked_on and self.checked_on.isoformat()
        ends = [{**asdict(one), "on": one.on.isoformat()} for one in self.ends]
        return {**asdict(self), "checked_on": checked_on, "ends": ends}


def is_configured(platform: Platform) -> bool:
    return bool(client_registration(platform.slug).client_id)


def check(platform: Platform, *, online: bool = False) -> Report:
    """Return what is known of a platform; `online` also asks its servers."""
    upstream = Upstream(platform, client_registration(platform.slug))
    row = dict(zip(COLUMNS, capabilities(platform), strict=True))
    report = Report(
        slug=platform.slug,
        app=platform.app,
        name=platform.name,
        configured=has_credentials(upstream),
        suspended=is_suspended(platform.slug),
        checked_on=platform.checked_on,
        known={key: text for key, text in row.items() if key not in {"platform", "app"}},
        ends=list(_ends(platform)),
    )
    report.findings += [*_of_endings(report.ends), *_of_age(platform), *_of_set_up(upstream)]
    if online:
        _ask(platform, report)
    return report


def _ends(platform: Platform) -> Iterator[Ending]:
    today = timezone.now().date()
    for what, on in sorted(platform.ends_on.items(), key=lambda pair: pair[1]):
        yield Ending(what, on, (on - today).days)


def _of_endings(ends: Iterable[Ending]) -> Iterator[Finding]:
    for one in ends:
        if one.days_left < 0:
            yield problem("ends_on", f"{one.what} ended on {one.on}")
        elif one.days_left <= SOON_DAYS:
            yield notice("ends_on", f"{one.what} ends on {one.on}, in {one.days_left} days")


def _of_age(platform: Platform) -> Iterator[Finding]:
    if platform.checked_on is None:
        yield notice("checked_on", "is not there: nobody says when the entry was right")
    elif (timezone.now().date() - platform.checked_on).days > OLD_DAYS:
        yield notice("checked_on", f"is {platform.checked_on}, more than a year ago")


def _of_set_up(upstream: Upstream) -> Iterator[Finding]:
    slug, registration = upstream.platform.slug, upstream.registration
    if registration.client_id and not has_credentials(upstream):
        variable = f"OAUTH_{slug.upper()}_CLIENT_SECRET"
        yield problem("token_endpoint_auth_method", f"needs {variable}, which is missing")
    try:
        missing = missing_functions(upstream.platform)
    except ImproperlyConfigured as error:
        yield problem("adapter", str(error))
        return
    for name, entry in missing.items():
        yield problem("adapter", f"lacks `{name}`, which {entry} needs")


def _ask(platform: Platform, report: Report) -> None:
    """Compare with what the platform publishes, and see whether its endpoints are there."""
    try:
        metadata = first_metadata(_issuers(platform))
    except MetadataError as error:
        report.findings.append(problem("issuer", f"can't be compared: {error}"))
    else:
        if metadata is not None:
            report.document = metadata.url
            report.findings += differences(platform, metadata)
        elif platform.issuer:
            report.findings.append(problem("issuer", "publishes no document"))
    for key, url in _endpoints(platform):
        if not is_reachable(url):
            report.findings.append(problem(key, f"is {url}, where nobody answers"))


def _issuers(platform: Platform) -> list[str]:
    """Return who may describe the platform: its issuer, else its token endpoint's host."""
    if platform.issuer or not platform.token_endpoint:
        return [platform.issuer] if platform.issuer else []
    parts = urlsplit(platform.token_endpoint)
    return [f"{parts.scheme}://{parts.netloc}"]


def _endpoints(platform: Platform) -> Iterator[tuple[str, str]]:
    """Name the endpoints, one for each host."""
    revocation = platform.revocation
    named = [
        ("authorization_endpoint", platform.authorization_endpoint),
        ("token_endpoint", platform.token_endpoint),
        ("identity_endpoint", platform.identity_endpoint),
        ("revocation.endpoint", revocation.endpoint if revocation else ""),
        ("revocation.introspection_endpoint", platform.introspects_at),
    ]
    seen: set[str] = set()
    for key, url in named:
        host = urlsplit(url).netloc
        if host and host not in seen:
            seen.add(host)
            yield key, url
