"""The conformance suite: validates any backend against `tmem.spec`, under concurrent reclaim.

Its packages and modules, from top to bottom. Each imports only those on lines below its own, which the
contracts for import-linter in `pyproject.toml` hold.

- `cli`: the `tmem` command: what people type, and what they see.
- `calibration`: whether every fault is noticed and no conforming backend raises an alarm.
- `run`: one run: supervisor and workers, slices of time, hangs and crashes, replay.
- `engines`: the ways to look for violations. `targets`: what a TARGET on the command line stands for.
  `report`: what a run found, the verdict, and how both are shown.
- `schedules`: programs of several threads, executed one switch of threads after the other. `faults`: the
  catalogue of bugs that a run must notice.
- `programs`: operations in sequence: drawn, performed, judged, shrunk. `history`: whether calls that
  overlapped keep the contract. `loader`: loads Python code afresh, with switch points. `conforming`: backends
  that conform, each in a different way. `compiled`: backends in a shared library.
- `coverage`: which situations a run has reached.
- `turn`: what an engine is given for a turn, and what an engine is.
- `events`: what a run reports while it goes on. `files`: writes files whole or not at all.
"""
