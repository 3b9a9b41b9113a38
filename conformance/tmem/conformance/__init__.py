"""The conformance suite: validates any backend against `tmem.spec`, under concurrent reclaim.

`cli` is the command; `events` the stream that a run tells; `trial` what an engine is given.
"""
