"""The conformance suite: validates any backend against `tmem.spec`, under concurrent reclaim.

Its packages and modules, from top to bottom. Each imports only those on lines below its own, which the
contracts for import-linter in `pyproject.toml` hold.

- `pytest_plugin`: the plugin for pytest.
- `cli`: the `tmem` command: what people type, and what they see.
- `calibration`: whether every fault is noticed and no conforming backend raises an alarm.
- `run`: one run: supervisor and workers, slices of time, hangs and crashes, replay. `server`: a store that
  is served to other processes.
- `scripts`: a violation as a program of its own, which needs the target alone.
- `engines`: the ways to look for violations. `targets`: what a TARGET on the command line stands for.
  `report`: what a run found, the verdict, and how both are shown.
- `schedules`: programs of several threads, executed one switch of threads after the other. `faults`: the
  catalogue of bugs that a run must notice.
- `programs`: operations in sequence: drawn, performed, judged, shrunk. `history`: whether calls that
  overlapped keep the contract. `loader`: loads Python code afresh, with switch points. `conforming`: backends
  that conform, each in a different way. `compiled`: backends in a shared library. `remote`: backends in
  another process.
- `coverage`: which situations a run has reached.
- `turn`: what an engine is given for a turn, and what an engine is.
- `events`: what a run reports while it goes on. `files`: writes files whole or not at all.
  `hosts`: a strategy for Hypothesis that draws backends, to test hosts against.
  `schemas`: the JSON Schemas of what the suite writes and reads.

For tests of one's own it offers `state_machine_for` and `adversaries`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tmem.conformance.engines.machine import state_machine_for
    from tmem.conformance.hosts import adversaries

__all__ = ["adversaries", "state_machine_for"]


def __getattr__(name: str) -> object:
    # Both need Hypothesis, whose import takes a while: most who import a module of the suite need neither.
    if name == "adversaries":
        from tmem.conformance.hosts import adversaries

        return adversaries
    if name == "state_machine_for":
        from tmem.conformance.engines.machine import state_machine_for

        return state_machine_for
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
