"""The contest on the web: pages, forms and JSON API as one ASGI application."""
