"""Records on the local disk while the database is unavailable, and their replay."""
