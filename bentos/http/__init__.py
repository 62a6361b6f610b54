"""HTTP/1.1 connections: deadlines, limits and framing, below the application."""
