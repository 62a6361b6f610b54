"""Write replies, from templates or with a language model."""
