"""The tab of articles: their table, the filter, adding and removing."""
