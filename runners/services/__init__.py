"""The BentoML services of the models, and the code that they share."""
