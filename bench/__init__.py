"""The bench: what the store costs, side by side with lz4 itself and with what people use today.

`python -m bench` measures and writes docs/performance.md. One experiment a module in `experiments`, one
peer a module in `peers`; `variants` names the variants of the store, `rows` holds the goals.
Only ratios within one run are claimed: in every round, the contenders are measured in turn.
"""
