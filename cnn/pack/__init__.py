"""Contest packs: the files that students of a contest get, and those that only its host keeps."""
