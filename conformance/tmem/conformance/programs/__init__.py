"""Programs of operations for one backend, in sequence: drawn, performed, judged, shrunk, written as steps.

May import `engine`, `coverage`, the model and the specification; engines, targets and schedules use it.
"""
