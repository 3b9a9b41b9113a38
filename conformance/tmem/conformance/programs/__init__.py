"""Programs of operations for one backend, in sequence: drawn, performed, judged, shrunk, written as steps.

May import `tmem.model`, `tmem.spec` and `coverage`; engines, faults and schedules use it.
"""
