"""LinkedIn says where a picture's bytes go, and the member's token goes there too."""

import pytest

from channels.adapters.linkedin import is_theirs
from connections_project.platforms.catalog import catalog


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.linkedin.com/dms-uploads/x?y", True),
        ("https://www.LinkedIn.com:443/dms-uploads/x", True),
        ("http://www.linkedin.com/x", False),
        ("https://www.linkedin.com:8443/x", False),
        ("https://evil-linkedin.com/x", False),
        ("https://linkedin.com.evil.example/x", False),
        ("https://evil.example\\@www.linkedin.com/x", False),
        ("https://evil.example\\.linkedin.com/x", False),
        ("https://evil.example@www.linkedin.com/x", False),
        ("https://[x", False),
    ],
)
def test_only_their_own_hosts_get_it(url: str, expected: bool) -> None:
    assert is_theirs(catalog()["linkedin"], url) == expected
