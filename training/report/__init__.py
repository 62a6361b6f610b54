"""The pictures and the page that a training run leaves for people. Start reading at `page.py`. Never holds a text."""
