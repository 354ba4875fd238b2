"""What HTML is made with: escaping, direction of text, the words of the page."""
