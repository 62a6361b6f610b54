"""Keeping what was answered: tables, migrations, every SQL statement, and the recorder that commits in groups.

Knows nothing of requests, models or policies: it keeps the records that the pipeline hands over.
"""
