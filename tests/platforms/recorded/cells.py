"""What is recorded of each platform, and of what is not, why."""

from collections.abc import Callable

from connections_project.oauth.catalog import Platform
from tests.platforms.recorded.overlays import SHIPPED
from tests.platforms.recorded.posts import cells as posts
from tests.platforms.recorded.posts.cells import UNRECORDED, YES
from tests.platforms.recorded.recording import Recording
from tests.platforms.recorded.recordings import RECORDINGS, is_sent

Cell = Callable[[Platform, Recording], str]


def _identity(_: Platform, recording: Recording) -> str:
    return YES if recording.account_id else UNRECORDED


def _reading(platform: Platform, recording: Recording) -> str:
    if platform.app != "providers":
        return "no: has no accounts to read"
    return YES if recording.accounts and recording.transactions else UNRECORDED


def _refresh(platform: Platform, recording: Recording) -> str:
    return "no: is not refreshed" if platform.refresh == "none" else YES


def _dead_grant(platform: Platform, recording: Recording) -> str:
    if platform.refresh == "none":
        return _refresh(platform, recording)
    return YES if recording.dead else UNRECORDED


def _dead_token(_: Platform, recording: Recording) -> str:
    return YES if recording.dead_token else UNRECORDED


def _revocation(platform: Platform, _: Recording) -> str:
    if platform.revocation is None:
        return "no: has no usable revocation"
    return YES if is_sent(platform.slug) else "no: would end other users' grants"


def _dead_already(platform: Platform, recording: Recording) -> str:
    if not is_sent(platform.slug):
        return _revocation(platform, recording)
    return YES if recording.revoked_already else "no: has no word for it"


def _verification(platform: Platform, recording: Recording) -> str:
    if not is_sent(platform.slug):
        return _revocation(platform, recording)
    assert platform.revocation
    return YES if platform.revocation.verify != "none" else "no: can't be told"


CELLS: dict[str, Cell] = {
    "identity": _identity,
    "accounts, transactions": _reading,
    "refresh": _refresh,
    "dead grant": _dead_grant,
    "dead token": _dead_token,
    "revoke": _revocation,
    "dead already": _dead_already,
    "verify": _verification,
    "text": lambda platform, _: posts.text(platform),
    "picture": lambda platform, _: posts.picture(platform),
    "notice": lambda platform, _: posts.notice(platform),
}


def table() -> str:
    """Return a Markdown table of what is recorded, without a line break at its end."""
    heads = ("platform", *CELLS)
    rows = [heads, ("---",) * len(heads), *(_row(slug) for slug in SHIPPED)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(slug: str) -> tuple[str, ...]:
    recording = RECORDINGS.get(slug)
    if recording is None:
        return (f"`{slug}`", *(UNRECORDED for _ in CELLS))
    return (f"`{slug}`", *(cell(SHIPPED[slug], recording) for cell in CELLS.values()))
