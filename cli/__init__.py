"""The command line, one file a verb; the only package that sees all the others."""
