"""Language of orders: which sentences of a result tell somebody to act, and which calls do as they say.

Made for text that attackers write: bounded length, linear time, no backtracking regular expressions.
"""

from detectors.instructions.obedience import NOTED, Obedience, Source, passage, weigh
from detectors.instructions.orders import Order, orders_in
from detectors.instructions.prompts import Prompt, prompt_of
from detectors.instructions.sentences import Reading, Sentence, read

__all__ = [
    "NOTED", "Obedience", "Order", "Prompt", "Reading", "Sentence", "Source", "orders_in", "passage", "prompt_of", "read", "weigh",
]
