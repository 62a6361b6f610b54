"""The same bundle in other servers, each set up according to its documentation, measured in one run."""
