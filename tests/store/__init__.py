"""Where passages are kept and the nearest are found."""
