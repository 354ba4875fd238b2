"""How the page is served: who may come in, and what every reply carries."""
