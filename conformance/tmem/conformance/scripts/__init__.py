"""A violation as a program of its own, Python or C, that loads the target and nothing else.

- `python_program` and `c_program` write a program; `race` writes one for a schedule, which needs its runtime.
- `expected` finds what the last answer may be. `loops` folds calls that repeat. `opening` makes a backend.
- `recording` keeps what a replay called and was answered.
"""
