"""Tools for developers of this repository; no product code imports them."""
