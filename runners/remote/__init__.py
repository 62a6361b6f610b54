"""Models in other processes: the codec, the clients and the placements."""
