"""Compressed pages as ordinary bytes objects: the pampd is the data."""

from __future__ import annotations

from tmem.impl.codec import Codec


class Plain:
    """A PAM whose pampds are bare bytes; Python frees the memory with the last reference."""

    overhead = 33 + 16
    """The header of a bytes object, and what malloc adds and rounds to on average."""

    def __init__(self, codec: Codec) -> None:
        self.create = codec.compress
        self.get_data = codec.decompress
        self.get_data_and_free = codec.decompress
        self.create_many = codec.compress_many
        self.get_data_many = codec.decompress_many
        self.size = len

    def free(self, pampd: bytes) -> None:
        """Do nothing: a reader has a reference of its own, so Python keeps the data until it is done."""
