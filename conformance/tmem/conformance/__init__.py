"""The conformance suite: validates any backend against `tmem.spec`, under concurrent reclaim.

`cli` is the command, `run` one run of it, `engines` the ways to look for violations; `engine` is what an
engine is and is given, `events` the stream that a run emits. Rooms import downwards only: `pyproject.toml`
lists them from top to bottom, as contracts for import-linter.
"""
