"""The ensemble: all models of a bundle, in one process or several."""
