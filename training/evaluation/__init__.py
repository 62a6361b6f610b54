"""Evaluation of bundles: metrics, guarantees, comparisons."""
