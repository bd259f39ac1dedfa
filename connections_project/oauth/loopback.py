"""Whether a host is this machine itself, where plain http gives nothing away."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether a host, as a name or an address, is this machine; no name is looked up."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
