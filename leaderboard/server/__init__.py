"""The web server below the application: its socket, its connections, its log."""
