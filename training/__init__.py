"""From labelled messages to a sealed bundle. Never imported by a server."""
