"""The tab of questions: a conversation, its answers and their proof."""
