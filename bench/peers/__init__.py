"""Adapters of stores that people use today, a module for each, imported when it is measured."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from bench.subjects import Contender, Missing, Subject

LIMIT = "lz4 loop"
"""The upper bound: lz4 called in a loop, without storing or looking up anything."""

PEERS = {
    LIMIT: "bench.peers.loop:Loop",
    "dict + lz4 + lock": "bench.peers.plain_dict:PlainDict",
    "cachetools": "bench.peers.lru:Lru",
    "lmdb": "bench.peers.lmdb_env:Lmdb",
    "zram": "bench.peers.zram:Zram",
    "memcached": "bench.peers.memcached:Memcached",
    "diskcache": "bench.peers.disk:Disk",
    "Redis": "bench.peers.redis_server:Redis",
}


def open_peer(name: str, folder: Path) -> Contender:
    """Start a peer, which may use the folder. Raises Missing if this machine cannot run it."""
    module, _, member = PEERS[name].partition(":")
    try:
        make = getattr(import_module(module), member)
    except ImportError as error:
        raise Missing(f"{error.name} is not installed: pip install 'tmem[bench]'") from None
    own = folder / member.lower()
    own.mkdir()
    subject: Subject = make(own)
    return Contender(name, subject, subject)
