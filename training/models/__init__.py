"""Fitting and export of features, base models, encoders, meta-learner and calibration."""
