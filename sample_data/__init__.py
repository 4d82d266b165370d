"""Two simulated weeks of agents at work, played on real SDKs: the generator, its recording and the player."""
