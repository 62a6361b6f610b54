"""Access control and keys: authentication, tokens, rate limits, field encryption, pseudonyms."""
