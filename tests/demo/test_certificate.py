"""The development certificate."""

import ssl
import stat
from pathlib import Path

from connections_project.sandbox.local.certificate import certificate_in, issue_where_missing


def test_it_is_made_once_and_its_key_is_private(tmp_path: Path) -> None:
    files = certificate_in(tmp_path)
    issue_where_missing(files)
    first = files.chain.read_bytes()
    issue_where_missing(files)
    assert files.chain.read_bytes() == first
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    # Raises if key and certificate don't belong together.
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(files.chain, files.key)


def test_a_missing_file_remakes_them_all(tmp_path: Path) -> None:
    files = certificate_in(tmp_path)
    issue_where_missing(files)
    files.authority.unlink()
    issue_where_missing(files)
    client = ssl.create_default_context(cafile=str(files.authority))
    assert client.cert_store_stats()["x509_ca"] == 1
