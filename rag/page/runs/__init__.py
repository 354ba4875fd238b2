"""The tab of evaluation runs."""
