"""Programs of several threads under controlled schedules: which are explored, and how a failure is drawn.

May import `history`, `loader` and `programs`; the engine of the schedules uses it.
"""
