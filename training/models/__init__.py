"""Fitting and exporting: features, base models, encoders, meta-learner, calibration."""
