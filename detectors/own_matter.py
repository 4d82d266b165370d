"""What a tool's name says that it is about: an SSH tool may speak of keys, a skill loader of instructions to follow, a chat of its history."""

from functools import lru_cache

from detectors.names import words_of


def _of(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SECRETS = _of(
    "ssh sftp scp key keys keychain host env dotenv environment variable variables config configuration settings kube kubernetes kubeconfig kubectl k8s helm cluster aws "
    "docker git gcloud npm secret secrets credential credentials password passwords passwd token tokens vault auth login identity")
_COMMANDS = _of(
    "install setup shell bash exec execute run command python code terminal process script decode base64 encode eval ssh sandbox repl console http request "
    "curl fetch")
_GUIDES = _of("skill skills instruction instructions guide guides guideline guidelines prompt prompts workflow playbook help onboarding rules recipe")
_TALK = _of(
    "llm model models agent agents chat conversation prompt message messages assistant memory memories completion completions generate inference ask mentor transcript "
    "history feedback support escalate handoff summary summarize subagent")
_MODELS = _of("llm model models agent agents subagent inference completion completions prompt prompts agentic")
_MEMBERS = _of("grant permission permissions access role roles member members collaborator invite share admin user users team teams add")
_PEOPLE = _of("passenger traveller traveler booking passport tax customer employee flight visa order")
_BEGINNING = _of(
    "start connect login auth authenticate init initialize setup begin activate load open instructions guide help info bootstrap onboarding welcome session context "
    "status rules schema metadata reset memory memories first")

_MATTERS: dict[str, tuple[frozenset[str], float, bool]] = {
    "points to secrets": (_SECRETS, 0.5, False),
    "names a place of secrets": (_SECRETS, 0.4, True),
    "has secrets asked for": (_SECRETS, 0.4, True),
    "has a command run": (_COMMANDS, 0.4, True),
    "hands control to what it returns": (_GUIDES, 0.5, False),
    "asks for the conversation": (_TALK, 0.4, False),
    "asks for the user's words": (_TALK, 0.5, False),
    "asks for what it does not need": (_MODELS, 0.4, False),
    "asks who calls it": (_MODELS, 0.4, False),
    "lets somebody in": (_MEMBERS, 0.4, False),
    "asks for private things": (_PEOPLE, 0.5, True),
    "has other tools' results passed along": (_of("history log logs trace calls audit recap summary summarize report agent delegate"), 0.5, False),
    "claims every request for itself": (_BEGINNING, 0.6, False),
}
"""For a kind of steering: the words of names that make it the tool's own matter, what is left of it then, and whether the parameter's name counts too."""


def share_of(kind: str, tool: str, place: str) -> float:
    """What is left of a reason of this kind for a tool of this name, where it stands at this place."""
    words, share, by_parameter = _MATTERS.get(kind, (frozenset(), 1.0, False))
    about = _words(tool) | (_words(place.rpartition("parameter ")[2]) if by_parameter and "parameter " in place else frozenset())
    return share if words & about else 1.0


@lru_cache(maxsize=8_192)
def _words(name: str) -> frozenset[str]:
    return frozenset(words_of(name))
