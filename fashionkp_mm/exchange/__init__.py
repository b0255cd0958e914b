"""Other formats, read into the table of keypoints and written from it."""
