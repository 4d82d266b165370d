"""Questions with proof: each detector is one file with its page, its scenarios and its logic."""
