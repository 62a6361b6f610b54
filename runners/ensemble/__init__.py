"""All models of a bundle together, in one process or several."""
