"""Files that a team begins with: its folder and its notebook, in English and Spanish."""
