"""What is found for a question."""
