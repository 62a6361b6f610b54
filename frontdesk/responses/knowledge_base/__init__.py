"""Knowledge articles: their format, search and lint."""
