"""Labels and predictions in other tools' formats, each read into one table and written from it."""
