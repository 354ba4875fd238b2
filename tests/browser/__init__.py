"""The chat page as a reader meets it: the real server and engine, in a real Chromium."""
