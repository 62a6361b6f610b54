"""Delivery of events to other systems: the dispatcher, its sinks and its administration."""
