"""The shipped catalogue, with its platforms at a server on loopback and nothing else changed."""

from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

from connections_project.oauth.catalog import Platform, load_catalog

ROOT = Path(__file__).resolve().parents[3]
FILES = [ROOT / app / "catalog.toml" for app in ("providers", "channels", "social")]
SHIPPED = {one.slug: one for one in load_catalog(*FILES).all() if one.status == "active"}


def moved_table(platform: Platform, to: str) -> str:
    """Write the lines that move all addresses of a platform's API to another host.

    Args:
        platform: As it is shipped.
        to: The scheme and host of a server.
    """
    table = f"{platform.app}.{platform.slug}"
    names = [one.name for one in fields(platform) if one.name.endswith(("_endpoint", "api_base"))]
    moved = {name: url for name in names if (url := str(getattr(platform, name)))}
    lines = [f"[{table}]", *(f'{name} = "{_moved(url, to)}"' for name, url in moved.items())]
    if platform.revocation and platform.revocation.endpoint:
        endpoint = _moved(platform.revocation.endpoint, to)
        lines += [f"[{table}.revocation]", f'endpoint = "{endpoint}"']
        if introspection := platform.revocation.introspection_endpoint:
            lines.append(f'introspection_endpoint = "{_moved(introspection, to)}"')
    return "\n".join(lines)


def _moved(url: str, to: str) -> str:
    here = urlsplit(to)
    return urlsplit(url)._replace(scheme=here.scheme, netloc=here.netloc).geturl()
