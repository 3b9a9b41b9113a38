"""Reports: `progress` and `terminal` while a person watches; JSON, JUnit and HTML for later."""
