"""The report of a training run: HTML page, plots and model card. Start reading at `page.py`."""
