"""Threads of Python that run one at a time, under a strategy that decides who runs next.

- `load` loads a target, whose modules `threading`, `time` and others are those of `modules`, `threads` and
  `locks`.
- `scheduler` switches threads, as one of the `strategies` says; `run_queue` has those that can go on.
  `virtual` is their data, and `places` says where in the code they are.
- `real_threads` carries them on threads of the system; `blocked` has those that `outside` finds blocked
  outside Python. `watchdog` notices an execution that stands still.

May import `loader`; it knows nothing of pages or clauses.
"""
