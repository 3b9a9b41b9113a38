"""Programs of operations for one backend, in sequence: drawn, performed, judged, shrunk, written as steps.

`program` draws them, with `handles` and `pages` (and hostile pages of `shapes`). `perform` performs one
operation, `runner` a program while the judge watches, `shrink` makes a failing one small, and `transcript`
writes operations for people. May import `turn`, the model and the specification; engines, targets and
schedules use it.
"""
