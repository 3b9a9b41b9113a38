"""Stores in other processes: `cmd:`, `unix:` and `tcp:` targets, by the frames of `tmem.spec.abi.wire`.

`connection` exchanges frames, `server` opens connections, `store` is the backend that stands before them.
Imports no other package of `conformance`.
"""
