"""The same bundle behind other servers, each set up as its own documentation says, measured in one run."""
