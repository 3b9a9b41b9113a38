"""Measures that the suite notices faults and raises no false alarm: `tmem calibrate`.

- How soon is a fault noticed? `kill` measures it; `kill_table` puts it into a table.
- Does a conforming backend raise an alarm? `accept` checks that; `accept_table` counts the alarms.
- Which faults can serve as canaries? `choose_canaries` finds those that no conforming backend hides.
- What does each heuristic gain? `gains` compares `methods` with it and without it; `gains_table` shows that.
- What runs all of this? `command` is `tmem calibrate`; `run` makes the tasks and writes the files of results;
  `work` runs tasks on all cores and resumes what was interrupted; `page` writes docs/calibration.md.

May import everything but `cli`.
"""
