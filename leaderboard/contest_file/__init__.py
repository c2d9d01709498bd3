"""`contest.yaml`: a contest as a file that makes it, that is compared with a running one and changes it."""
