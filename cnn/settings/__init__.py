"""The sections of a training's configuration: frozen dataclasses whose fields say default, range and meaning."""
