"""How good a bundle is: metrics, guarantees, comparisons."""
