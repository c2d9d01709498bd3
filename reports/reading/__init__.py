"""Run folders, studies and contests read into facts."""
