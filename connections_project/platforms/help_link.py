"""Where a user can remove the app by hand, for platforms without a revocation."""

from connections_project.platforms.registry import upstream


def help_link(slug: str) -> dict[str, str]:
    """Return the `Link` header of a disconnect's answer (RFC 8288, relation `help`).

    It is empty where the platform has a usable revocation, or no page is known.
    """
    found = upstream(slug)
    if found is None or not found.platform.help_url:
        return {}
    revocation = found.platform.revocation
    if revocation is not None and revocation.blast_radius != "client":
        return {}
    return {"Link": f'<{found.platform.help_url}>; rel="help"'}
