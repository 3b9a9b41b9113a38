"""The arguments of operations: what is taken, and one clear line for what is not (TMEM-ARG-1)."""

from __future__ import annotations

from tmem.spec import Kind
from tmem.spec.abi.errors import EINVAL, ENODEV, ENOMEM, EPERM
from tmem.spec.abi.flags import NO_UUID, kind_of, objection
from tmem.spec.handle import CLIENT_BITS, INDEX_BITS, OBJECT_BITS


def asked_kind(client: int, flags: int, uuid: int | None, page_size: int) -> Kind:
    """Return the kind of pool that new pool asks for.

    EINVAL or TypeError for bad numbers, EPERM for bad flags. Flags of 0, the default, ask for no page size.
    """
    _check("client", client, CLIENT_BITS)
    _check_integer("flags", flags)
    if flags and (why := objection(flags, page_size)):
        raise OSError(EPERM, f"flags {flags:#x}: {why}")
    kind = kind_of(flags, uuid)
    if kind.shared and uuid is not None:
        _check("UUID", uuid, NO_UUID.bit_length())
    return kind


def asked_pages(pages: int) -> int:
    """Return the number of pages that reclaim is asked for; EINVAL below 0."""
    _check_integer("pages to reclaim", pages)
    if pages < 0:
        raise OSError(EINVAL, f"cannot reclaim {pages} pages")
    return pages


def copied(page: bytes | bytearray | memoryview) -> bytes:
    """Return a copy of the page that nobody else can change; TypeError for what is no page."""
    if isinstance(page, memoryview):
        return page.tobytes()
    if isinstance(page, bytes | bytearray):
        return bytes(page)
    raise TypeError(f"a page is bytes, bytearray or memoryview, not {type(page).__name__}")


def bad_page(page: bytes, page_size: int) -> OSError:
    """Make the EINVAL for a page of another length."""
    return OSError(EINVAL, f"a page has {page_size} bytes, this one {len(page)}")


def bad_handle(oid: int, index: int) -> Exception:
    """Make the error for a bad handle: EINVAL out of range, TypeError if it has no integers."""
    try:
        _check("object id", oid, OBJECT_BITS)
        _check("index", index, INDEX_BITS)
    except (OSError, TypeError) as error:
        return error
    return TypeError("client and pool id must be integers")


def no_pool(client: int, pool: int) -> OSError:
    """Make the ENODEV of a pool id that stands for no pool."""
    return OSError(ENODEV, f"client {client} has no pool {pool}")


def no_memory() -> OSError:
    """Make the ENOMEM of a get."""
    return OSError(ENOMEM, "no memory for a copy of the page")


def _check(name: str, value: int, bits: int) -> None:
    _check_integer(name, value)
    if value >> bits:
        raise OSError(EINVAL, f"{name} {value:#x} does not fit {bits} bits")


def _check_integer(name: str, value: int) -> None:
    if not isinstance(value, int):
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}")
