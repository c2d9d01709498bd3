"""Files of sound as recorders, converters and servers leave them: their true kind, their headers, their coding."""
