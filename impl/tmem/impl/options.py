"""Checks the arguments of `Store`: the message for an invalid one is one clear line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tmem.impl.codec import Codec
from tmem.impl.hosts import Host
from tmem.impl.pam import Pam, Pampd

LARGEST: Final = 0x7E000000
"""The most bytes that lz4 compresses at once."""
CODEC: Final = ("compress", "decompress", "compress_many", "decompress_many")
PAM: Final = (
    "overhead",
    "create",
    "create_many",
    "size",
    "get_data",
    "get_data_many",
    "get_data_and_free",
    "free",
)
HOST: Final = ("obj_alloc", "obj_free", "page_alloc", "page_free")


def check_sizes(budget: int | None, page_size: int, keep_free: int, advance: int | None) -> None:
    """Raise TypeError or ValueError for an invalid number of bytes."""
    _check_integer("page_size", page_size)
    if not 1 <= page_size <= LARGEST:
        raise ValueError(f"page_size is {page_size}: a page has 1 to {LARGEST} bytes")
    if budget is not None:
        _check_integer("budget", budget, " or None")
        if budget < 0:
            raise ValueError(f"budget is {budget}: give 0 or more bytes, or None for no limit")
    _check_integer("keep_free", keep_free)
    if keep_free and budget is None:
        raise ValueError(f"keep_free is {keep_free}: there is no budget of which to keep bytes free")
    if not 0 <= keep_free <= (budget or 0):
        raise ValueError(f"keep_free is {keep_free}: it must be 0 or more, and within the budget, {budget}")
    if advance is not None:
        _check_integer("advance", advance, " or None")
        if advance < 0:
            raise ValueError(f"advance is {advance}: give 0 or more bytes, or None for the default")


def made_pam(page_size: int, codec: Callable[[int], Codec], pam: Callable[[Codec], Pam[Any]]) -> Pam[Pampd]:
    """Make the codec and the PAM over it. Raises TypeError if one of them lacks a method."""
    made_codec = _call("codec", codec, page_size)
    _check_has("codec", made_codec, CODEC)
    made: Pam[Pampd] = _call("pam", pam, made_codec)
    _check_has("pam", made, PAM)
    return made


def check_host(host: Host | None) -> None:
    """Raise TypeError if a hook is missing from the host."""
    if host is not None:
        _check_has("host", host, HOST)


def _call(name: str, make: Callable[[Any], Any], argument: object) -> Any:
    if not callable(make):
        raise TypeError(f"{name} must be a class or another callable, not {type(make).__name__}")
    return make(argument)


def _check_has(name: str, thing: object, wanted: tuple[str, ...]) -> None:
    missing = [each for each in wanted if not hasattr(thing, each)]
    if missing:
        raise TypeError(f"{name}: {type(thing).__name__} lacks {', '.join(missing)}")


def _check_integer(name: str, value: object, other: str = "") -> None:
    if not isinstance(value, int):
        raise TypeError(f"{name} must be an integer{other}, not {type(value).__name__}")
