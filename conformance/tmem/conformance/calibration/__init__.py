"""Measures that the suite notices faults and raises no false alarm: `tmem calibrate`.

`kill` measures how soon each fault of the catalogue is noticed. `accept` checks that conforming backends
raise no alarm. `work` runs both on all cores and resumes what was interrupted. `tables` writes the results.
May import everything but `cli`.
"""
