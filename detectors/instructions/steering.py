"""What steers a reader of a tool's definition: kinds of phrases, each by the structure of the order, with the weight that one alone carries.

The kinds: who is addressed behind the user's back, what is put before or in place of other tools, what is read or passed on that the
tool has no use for, whom the agent should obey instead, and what is threatened. Ordinary English; nothing was learned from a corpus.
"""

from collections.abc import Iterator

import re2

_DEMAND = r"(?:pass|put|place|include|insert|append|attach|add|copy|send|hand|give|provide|fill|write|log|dump|submit|forward|encode|upload|supply)"
_DEMANDED = r"(?:pass|put|plac|includ|insert|append|attach|add|copi|sent|hand|giv|provid|fill|logg|dump|submitt|forward|encod|upload|suppli)(?:ed|en|e)?"
_USER = r"(?:user|human|person|customer|operator|anyone|anybody)"
_WITHIN = r"[^.;\n]"
"""Inside one sentence; where a path or an address may stand between, any character."""

_SECRETS = (
    r"(?:~|/home/\S+|/root|/etc)?/?\.(?:ssh|aws|gnupg|kube|netrc|npmrc|pypirc|git-credentials|env\b|cursor/mcp\.json|config/gcloud|docker/config)"
    r"|\bid_(?:rsa|ed25519|ecdsa)\b|/etc/(?:passwd|shadow)\b|\bmcp\.json\b|\bclaude_desktop_config\b|\b(?:login|browser) (?:cookies|keychain)\b"
    rf"|\b{_DEMAND}\b{_WITHIN}{{0,40}}\b(?:contents?|value|text)\b{_WITHIN}{{0,30}}\b(?:private|ssh|api|access)[ _-]?keys?\b"
    rf"|\b(?:passwords?|credentials?|secrets?|api[ _-]keys?|tokens)\b{_WITHIN}{{0,20}},\s*(?:also\s+)?{_DEMAND}\b"
    rf"|\b(?:all|any|every|full|process|current|the|your) (?:environment variables|env(?:ironment)? vars?)\b{_WITHIN}{{0,30}}\b{_DEMANDED}\b"
    rf"|\b{_DEMAND}\b{_WITHIN}{{0,30}}\b(?:all|every|your|full)\b{_WITHIN}{{0,12}}\b(?:environment variables|env(?:ironment)? vars?|credentials|secrets|passwords)\b"
)
_SECRECY = (
    r"\b(?:do not|don't|never|without)\s+(?:tell|inform|mention|notify|alert|reveal|show|disclose|telling|informing|mentioning|notifying|alerting)\w*\b"
    rf".{{0,60}}\b(?:{_USER}|this|it)\b|\b{_USER}s? (?:must|should|does|do|need)(?:n't| not) (?:know|see|be (?:told|aware|informed|bothered|notified)|need to know|notice)\b"
    r"|\b(?:silently|secretly|quietly|covertly)\s+(?:\w+\s+){0,2}(?:send|read|copy|forward|call|add|append|include|pass|upload|run)\b"
    r"|\b(?:hide|conceal|keep)\b.{0,40}\b(?:from the user|hidden from|secret from)\b"
    rf"|\b(?:do not|don't|never)\s+let\b{_WITHIN}{{0,20}}\b{_USER}\b{_WITHIN}{{0,10}}\b(?:know|see|notice)\b"
    rf"|\bwithout (?:the |any )?(?:{_USER}'?s?|their) (?:knowledge|awareness|notice|knowing)\b|\bno need to (?:tell|mention|inform|notify)\b"
)
_UNCONFIRMED = (
    r"\b(?:do not|don't|never|without|no need to|skip)\s+(?:ask|wait|request|seek|prompt|requir)\w*\b"
    rf"{_WITHIN}{{0,40}}\b(?:confirmation|permission|approval|consent)\b"
    rf"|\b(?:approve|accept|confirm)\b{_WITHIN}{{0,40}}\b(?:automatically|without asking|silently)\b|\bauto-?approve\b"
)
_CLAIMS = (
    r"\b(?:before|after|whenever|every time|each time|prior to)\b.{0,60}\b(?:any|every|each|all|other)\b.{0,30}\btools?\b"
    r".{0,120}\b(?:must|always|first|need to|have to|call|use|read|send|pass)\b"
    r"|\b(?:called|used|invoked|run)\s+(?:anytime|every ?time|whenever|always|first)\b.{0,40}\b(?:user|any|anything|task|request)\b"
    r"|\b(?:any|every|each|whatever|all)\b.{0,30}\b(?:user|conversation|question|request|prompt|message)\b.{0,80}"
    r"\b(?:must|always|should)\b.{0,30}\b(?:call|use|invoke|run)\b.{0,20}\bthis\b"
    rf"|\b(?:always|must)\b{_WITHIN}{{0,20}}\b(?:call|use|run|invoke)\b{_WITHIN}{{0,40}}\bbefore\b{_WITHIN}{{0,12}}"
    r"\b(?:replying|answering|responding|you (?:reply|answer|respond)|doing any|every|anything|any (?:other|answer|reply|action|request))\b"
)
_ORDER_OF_USE = (
    r"\b(?:before|after|whenever|every time|each time|prior to)\b.{0,60}\b(?:this|the)\b.{0,30}\btools?\b"
    r".{0,120}\b(?:must|always|first|need to|have to|call|use|read|send|pass)\b"
    r"|\b(?:must|always|should)\b.{0,30}\b(?:call|use|invoke|run)\b.{0,30}\bthis (?:tool|function|method)\b.{0,30}\b(?:first|before|instead|every)\b"
    r"|\binstead of\b.{0,60}\btools?\b"
)
_SUPERLATIVE = (
    r"\b(?:the )?(?:best|most (?:accurate|reliable|trusted|powerful|secure)|only (?:reliable|correct|safe|trusted|working))"
    r"\s+(?:\w+\s+){0,2}(?:tool|function|method|server)\b"
    rf"|\b(?:all |any |the )?others?(?: \w+){{0,2}} (?:are|is|have been|should|must|may)\b{_WITHIN}{{0,12}}"
    r"\b(?:deprecated|unsafe|broken|outdated|wrong|unreliable|obsolete|not be used|never be used)\b"
    r"|\b(?:supersedes?|replaces?) (?:all|any|every)(?: of the)? other\b|\b(?:far |much )?(?:better|more reliable|more accurate) than (?:all|any|every) (?:the )?other"
)
_PREFERENCE = (
    r"\b(?:always|strongly)\s+(?:prefer|choose|use)\s+this\b|\bprefer this (?:tool|function|over)\b|\bthis tool (?:replaces|supersedes)\b"
)
_IDENTITY = (
    r"\b(?:name|id|identity|version|provider)\b.{0,24}\b(?:llm|language model|ai model|model|agent)\b.{0,40}\b(?:calls?|calling|using|invok\w+|running)\b"
    r"|\blist of (?:all )?(?:available |other )?tools\b.{0,30}\b(?:agent|you|model)\b"
    r"|\b(?:contents?|text) of\b.{0,40}\b(?:other|any|local|sensitive|config\w*) files?\b"
    r"|\b(?:full|entire|whole|complete|raw)\b.{0,12}\b(?:conversation|chat|history|transcript)\b.{0,20}\b(?:so far|verbatim|up to now|with the user)\b"
)
_TALK = r"(?:(?:system|developer)[ _-]?prompt|(?:conversation|chat)(?:[ _-](?:history|log|context|transcript))?|(?:last|previous|recent|earlier) (?:\w+ )?(?:messages|turns|prompts))"
_TALK_DEMANDED = (
    rf"\b{_DEMAND}\b{_WITHIN}{{0,40}}\b(?:full|entire|whole|complete|your|the|previous|last|all)\b{_WITHIN}{{0,12}}\b{_TALK}\b{_WITHIN}{{0,40}}\b(?:to|as|in|into|with|for|so)\b"
    rf"|\b{_TALK}\b{_WITHIN}{{0,40}}\b(?:must|should|has to|have to|needs? to)\b{_WITHIN}{{0,12}}\b{_DEMANDED}\b"
)
_OVERRULES = (
    r"\b(?:regardless of|no matter|even if|even when|despite|whatever)\b.{0,30}\b(?:the )?(?:user|human)\b.{0,40}\b(?:says?|said|asks?|asked|wants?|specif\w+|instruct\w*"
    r"|request\w*|provid\w+|gave|given|objects?|prefers?|thinks?|chooses?)\b"
    r"|\b(?:ignore|override|overrule|disregard)\b.{0,30}\b(?:the (?:user|human|developer|operator|system)(?:'s)?\b|(?:safety|security) (?:rules|limits|polic\w+|guidelines))"
    r"|\b(?:change|replace|rewrite|substitute|redirect|swap)\b.{0,30}\b(?:recipient|payee|beneficiary|destination|account|iban|address)(?:s|'s)?\b.{0,40}\b(?:to|with|by)\b"
    r"\s+(?:our|this|that|the (?:following|one|iban|account)|[\w.+-]+@|\+?\d|https?://|[A-Z]{2}\d\d)"
)
_OBEYS_RESULT = (
    r"\b(?:follow|obey|execute|carry out|perform|comply with|run)\b.{0,30}\b(?:instructions?|commands?|orders?|directives?)\b.{0,40}"
    r"\b(?:response|result|output|returned|returns|reply|error message|answer)\b"
    r"|\b(?:do|execute|run)\s+(?:whatever|what|everything|anything)\b.{0,20}\b(?:response|result|output|tool|it)\b.{0,10}\b(?:says?|asks?|tells?|returns?|requests?)\b"
)
_READ_ON = (
    rf"\b(?:open|read|fetch|collect|gather|retrieve|look up)\b{_WITHIN}{{0,40}}\b(?:user's|their|private|personal|local|home)\b{_WITHIN}{{0,80}}\b{_DEMAND}\b"
)
_CARRYING = (
    rf"\b{_DEMAND}\b.{{0,30}}\b(?:contents?|body|text|values?|output|results?|history|data|it)\b"
    r".{0,60}\b(?:in|into|as|via|through|inside|to)\b.{0,20}\b(?:parameter|argument|field|side_?note|metadata|feedback|context|header)s?\b"
)
_ADDRESSED = (
    r"\b(?:note|message|attention|instructions?|reminder) (?:to|for) (?:the |all |any )?(?:ai|llm|model|assistant|agent|language model)s?\b"
    r"|\b(?:the|any|every) (?:ai|llm|assistant|language model|ai model)\s+(?:\w+\s+)?(?:must|has to|shall|needs to|is to|should)\b"
)
_THREAT = (
    r"\b(?:otherwise|or else|if you (?:do not|don't|fail)|failure to|failing to)\b.{0,60}\b(?:will|shall|may|must|is|are)?\s*\b(?:fail|crash|not work|be (?:lost|deleted|blocked"
    r"|terminated|suspended|fired|broken|denied)|lose|break|be unable|very upset|sad|legal|corrupt\w*)\b"
)
_COMMANDS = r"\b(?:curl|wget|iwr|invoke-webrequest)\b[^\n|]{0,200}\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b|\bbase64\s+(?:-d|--decode)\b|\b(?:nc|ncat)\s+-e\b|\bpython3?\s+-c\b.{0,60}\b(?:exec|eval|socket)"

SECRECY = "asks for secrecy"
_KINDS: tuple[tuple[str, str, float], ...] = (
    (SECRECY, _SECRECY, 0.75),
    ("has a command run", _COMMANDS, 0.7),
    ("does away with confirmation", _UNCONFIRMED, 0.6),
    ("overrules the user", _OVERRULES, 0.6),
    ("hands control to what it returns", _OBEYS_RESULT, 0.6),
    ("has private things read and passed along", _READ_ON, 0.6),
    ("points to secrets", _SECRETS, 0.55),
    ("asks for what it does not need", _IDENTITY, 0.55),
    ("asks for the conversation", _TALK_DEMANDED, 0.55),
    ("praises itself above all others", _SUPERLATIVE, 0.55),
    ("claims every request for itself", _CLAIMS, 0.5),
    ("has other data passed along", _CARRYING, 0.35),
    ("speaks about the model that reads it", _ADDRESSED, 0.35),
    ("puts itself before other tools", _ORDER_OF_USE, 0.3),
    ("praises itself", _PREFERENCE, 0.3),
    ("threatens", _THREAT, 0.15),
)
"""Half and above: hardly ever honest. Below: honest definitions also say it, about their own server's order of use."""
_COMPILED = tuple((kind, re2.compile(f"(?is){pattern}"), weight) for kind, pattern, weight in _KINDS)
_DENIED = re2.compile(r"(?i)\b(?:not|never|n't|avoid|cannot|nor)\s+(?:\w+\s+)?$")
_OF_DENIALS = (SECRECY, "does away with confirmation")
"""Kinds that consist in a denial themselves."""


def phrases(text: str) -> Iterator[tuple[str, str, float]]:
    """The first phrase of each kind that is not denied ("do not pass secrets"): kind, words, weight."""
    for kind, pattern, weight in _COMPILED:
        for match in pattern.finditer(text):
            if kind in _OF_DENIALS or not _DENIED.search(text[max(0, match.start() - 24) : match.start()]):
                yield kind, match.group(), weight
                break
