"""What is wrong with an illegal history.

`minimize` finds the few calls that contradict each other; `explain` names the clause and says why.

May import `exhaustive`, `pools`, `slot` and what those may import.
"""
