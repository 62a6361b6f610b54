"""The page, the pictures and the model card that a training run leaves for people. Start reading at `page.py`."""
