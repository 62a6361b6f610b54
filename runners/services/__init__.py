"""The BentoML services: one for each model, and what they have in common."""
