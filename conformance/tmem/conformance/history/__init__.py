"""Histories of calls that overlap: recorded, split into slots, and judged.

`calls` is how a call is kept, `recorder` takes calls from a running backend and `trace` reads them from a
file; `checker` decides. Which slots and pools a call concerns is told by `split` and `pools`; one slot is
decided by `zones` and `misses`, or by `frontier` where pages repeat.
"""
