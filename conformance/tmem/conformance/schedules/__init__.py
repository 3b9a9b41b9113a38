"""Programs of several threads under controlled schedules: what is explored, and how a failure is shown.

May import `history`, `programs`, `loader`, `compiled`, `events`, the model and the specification. The layers,
each of which imports only those below it:

- `explore` looks for races in many programs; `waiting` lets pages grow old.
- `portfolio` says which programs are explored and how; `picture` shows an execution.
- `search` finds a failing schedule of one program and makes it smaller; `columns` lays out text by threads.
- `native` drives the threads of compiled code.
- `runtime` runs threads of Python one at a time; `threaded` has the programs.
"""
