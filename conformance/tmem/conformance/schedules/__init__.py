"""Programs of several threads under controlled schedules: what is explored, and how a failure is shown.

May import `history`, `loader` and `programs`. The layers: explore, portfolio and picture, search, then
programs and runtime.
"""
