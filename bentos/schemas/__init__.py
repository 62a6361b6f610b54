"""Request bodies and query parameters: their models, and limits of structure that hold before parsing."""
