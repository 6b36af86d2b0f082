"""Says which addresses belong to machines of the public internet. Pure."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

_GLOBAL_UNICAST = IPv6Network("2000::/3")
# RFC 6052: how networks without IPv4 write its addresses.
_NAT64 = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


def is_global(address: Address) -> bool:
    """Whether an address belongs to a machine of the public internet, and so does each address wrapped in it."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    if address in _NAT64:
        return is_global(IPv4Address(int(address) & 0xFFFFFFFF))
    inner = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
    if any(wrapped is not None and not is_global(wrapped) for wrapped in inner):
        return False
    return address.ipv4_mapped is not None or (address in _GLOBAL_UNICAST and address.is_global)
