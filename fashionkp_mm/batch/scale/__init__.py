"""A catalogue of any size, predicted part by part, on one machine or many."""
