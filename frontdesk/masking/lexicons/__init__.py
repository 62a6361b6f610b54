"""Word lists of masking, lower case: names, places, and words that announce a value."""
