"""The studio: one page in the browser to look at garments, correct them and save them."""
