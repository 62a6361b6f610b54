"""The models as they run in a server: plain classes, the batcher in front of them, and the loaded champion."""
