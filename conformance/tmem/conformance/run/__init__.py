"""One run of `tmem check` or `tmem replay`: who does the work, and what becomes of failures.

- `request` is what a run is asked for, and `check` does it: one `round` after the other.
- `side_by_side` shares the engines out among workers, and `time_slices` the time among engines.
- The `supervisor` runs a worker: its `process`, the `messages` from it, and its `heartbeat`. `worker` is what
  runs in that process.
- `hang` detects that a worker hangs; `crash` makes a finding of a worker that hung or died.
- `confirm` replays what was found; `replay` writes and reads replay files.

May import `engines`, `targets`, `report` and what lies below them; the command drives it.
"""
