"""What steers a reader of a tool's definition: kinds of phrases, each by the structure of the order, with the weight that one alone carries.

The kinds: who is addressed behind the user's back, what is put before or in place of other tools, what is read or passed on that the
tool has no use for, whom the agent should obey instead, and what is threatened. Ordinary English; nothing was learned from a corpus.
"""

from collections.abc import Iterator
from itertools import islice

import re2

from detectors.instructions.demands import DEMANDED, DEMANDS, PRETEXT_SHARE, pretext_in

_WITHIN = r"[^.;\n]"
"""Inside one sentence; where a path or an address may stand between, any character."""
_USER = r"(?:user|human|person|customer|operator|anyone|anybody)"

_SECRECY = (
    rf"\b(?:do not|don't|never)\s+(?:tell|inform|mention|notify|alert|reveal|show|disclose)\w*\b.{{0,60}}\b(?:{_USER}|this|it)\b"
    rf"|\bwithout\s+(?:telling|informing|mentioning|notifying|alerting|showing)\b.{{0,60}}\b{_USER}\b"
    rf"|\b{_USER}s? (?:must|should|does|do|need)(?:n't| not) (?:know|see|be (?:told|aware|informed|bothered|notified)|need to know|notice)\b"
    r"|\b(?:silently|secretly|quietly|covertly)\s+(?:\w+\s+){0,2}(?:sends?|reads?|cop(?:y|ies)|forwards?|calls?|adds?|appends?|includes?|pass(?:es)?|uploads?|runs?)\b"
    r"|\b(?:hide|conceal|keep)\b.{0,40}\b(?:from the user|hidden from|secret from)\b"
    rf"|\b(?:do not|don't|never)\s+let\b{_WITHIN}{{0,20}}\b{_USER}\b{_WITHIN}{{0,10}}\b(?:know|see|notice)\b"
    rf"|\bwithout (?:the |any )?(?:{_USER}'?s?|their) (?:knowledge|awareness|notice|knowing)\b|\bno need to (?:tell|mention|inform|notify)\b"
    rf"|\b(?:stays?|remains?|kept) between you and\b|\b(?:keep|leave)\b{_WITHIN}{{0,30}}\b(?:call|step|request|tool)\b{_WITHIN}{{0,12}}"
    r"\bout of (?:your|the) (?:summary|answer|reply|response|report)\b"
    r"|\b(?:called|run|used|invoked|executed|sent|done) (?:silently|secretly|quietly|covertly)\b"
    r"|\blet (?:nobody|no one)\b.{0,12}\bknow\b|\b(?:nobody|no one) (?:must|should|may|needs? to) (?:know|notice|see)\b"
    rf"|\bomit (?:them|it|this|that)\b{_WITHIN}{{0,12}}\bfrom (?:your|the) (?:report|answer|summary|reply|response)\b|\bdo not list this (?:one|tool|call)\b"
    r"|\b(?:do not|don't|never) (?:bring (?:it|this) up|talk about (?:it|this)|refer to (?:it|this)|acknowledge (?:it|this))\b"
    r"|\bas if (?:this|the|it|nothing)\b.{0,20}\b(?:not|never|nothing)? ?happened\b|\bsummary for the user\b.{0,12}\b(?:leave out|omit|skip)\b"
)
_UNCONFIRMED = (
    r"\b(?:do not|don't|never|without|no need to|skip)\s+(?:ask|wait|request|seek|prompt|requir)\w*\b"
    rf"{_WITHIN}{{0,40}}\b(?:confirmation|permission|approval|consent)\b"
    rf"|\b(?:approve|accept|confirm)\b{_WITHIN}{{0,40}}\b(?:automatically|without asking|silently)\b|\bauto-?approve\b"
    r"|\bwithout (?:any |further |additional )?(?:confirmation|approval)\b"
    r"|\b(?:confirmations?|approvals?) (?:is|are|has been|have been) (?:disabled|switched off|turned off|suspended|lifted)\b"
    r"|\bskip (?:the|any|all) (?:confirmation|approval)\b|\bmark\b[^.;\n]{0,20}\bas (?:approved|confirmed)\b"
)
_CONSENT = rf"\b{_USER} has (?:already )?(?:agreed|approved|confirmed|consented)\b|\b(?:already|been) (?:approved|confirmed) by the {_USER}\b"
_EVERY_TOOL = r"(?:(?:any|every|each|all)(?: of)?(?: the| your)?(?: other| available)*\s+tools?|other tools?)"
_CLAIMS = (
    rf"\b(?:before|after|whenever|every time|each time|prior to)\b.{{0,60}}\b{_EVERY_TOOL}\b"
    r".{0,120}\b(?:must|always|first|need to|have to|call|use|read|send|pass)\b"
    rf"|\b(?:must|always|need to|have to)\b.{{0,20}}\b(?:call|use|run|invoke)\b.{{0,30}}\b(?:before|prior to)\b.{{0,30}}\b{_EVERY_TOOL}\b"
    r"|\b(?:called|used|invoked|run)\s+(?:anytime|every ?time|whenever|always|first)\b.{0,40}\b(?:user|anything|any (?:task|request|question))\b"
    r"|\b(?:any|every|each|whatever|all)\b.{0,30}\b(?:user|conversation|question|request|prompt|message)\b.{0,80}"
    r"\b(?:must|always|should)\b.{0,30}\b(?:call|use|invoke|run)\b.{0,20}\bthis\b"
    rf"|\b(?:always|must)\b{_WITHIN}{{0,20}}\b(?:call|use|run|invoke)\b{_WITHIN}{{0,40}}\bbefore\b{_WITHIN}{{0,12}}"
    r"\b(?:replying|answering|responding|you (?:reply|answer|respond)|doing any|every|anything|any (?:other (?:action|step|thing|operation)|answer|reply|action|request))\b"
    rf"|\b(?:must|always|mandatory)\b{_WITHIN}{{0,30}}\b(?:call|use|run|invoke)\b{_WITHIN}{{0,30}}\b(?:for|on|with) (?:every|each|all) (?:user )?(?:prompts?|messages?|requests?|questions?)\b"
    r"|\b(?:call|use|run|invoke) this(?: tool| function)? (?:for|on|with) (?:every|any|all|each) (?:questions?|requests?|prompts?|messages?|tasks?)\b"
    rf"|\b(?:each|every|all) (?:user )?(?:request|prompt|message|question)s?\b{_WITHIN}{{0,20}}\b(?:sent|passed|given|forwarded|shown) to this\b"
)
_ORDER_OF_USE = (
    r"\b(?:before|after|whenever|every time|each time|prior to)\b.{0,60}\b(?:this|the|any|every|each|all|other)\b.{0,30}\btools?\b"
    r".{0,120}\b(?:must|always|first|need to|have to|call|use|read|send|pass)\b"
    r"|\b(?:must|always|should)\b.{0,30}\b(?:call|use|invoke|run)\b.{0,30}\bthis (?:tool|function|method)\b.{0,30}\b(?:first|before|instead|every)\b"
    r"|\binstead of\b.{0,60}\btools?\b"
)
_SUPERLATIVE = (
    r"\b(?:the )?best\s+(?:\w+\s+){0,2}(?:tool|function|server)\b"
    rf"|\b(?:all |any |the )?others?(?: \w+){{0,2}} (?:are|is|have been|should|must|may)\b{_WITHIN}{{0,12}}"
    r"\b(?:deprecated|unsafe|broken|outdated|wrong|unreliable|obsolete|not be used|never be used)\b"
    rf"|\bother (?:\w+ ){{0,2}}(?:tools|servers)\b{_WITHIN}{{0,40}}\b(?:malware|unsafe|insecure|compromised|never use|do not use)\b|\bother (?:\w+ )?(?:tools|servers)\b.{{0,60}}\bnever use them\b"
    rf"|\b(?:answers|results|outputs?|data) (?:from|of) (?:all |any )?other tools\b{_WITHIN}{{0,40}}\b(?:discarded|ignored|outdated|wrong|unreliable|not be trusted)\b"
    r"|\b(?:never|do not|don't) use (?:any )?other (?:\w+ )?tools\b|\b(?:only trust this|trust only this)\b|\b(?:its|their|other) (?:results?|answers?|outputs?) (?:is|are) (?:forged|fake|wrong|malicious|poisoned)\b"
    r"|\b(?:supersedes?|replaces?) (?:all|any|every)(?: of the)? other\b|\b(?:far |much )?(?:better|more reliable|more accurate) than (?:all|any|every) (?:the )?other"
)
_PREFERENCE = (
    r"\bmost (?:accurate|reliable|trusted|powerful|secure)\s+(?:\w+\s+){0,3}(?:tool|function|method|server|source)\b|"
    r"\b(?:always|strongly)\s+(?:prefer|choose|use)\s+this\b|\bprefer this (?:tool|function|over)\b|\bthis tool (?:replaces|supersedes)\b"
    r"|\bonly (?:reliable|correct|safe|trusted|working)\s+(?:\w+\s+){0,2}(?:tool|function|method|server|source)\b"
    r"|\bprefer (?:this|it) over (?:any|all|every)\b"
)
_OVERRULES = (
    r"\b(?:regardless of|no matter|despite|whatever)\b.{0,30}\b(?:the )?(?:user|human)\b.{0,40}\b(?:says?|said|asks?|asked|wants?|specif\w+|instruct\w*"
    r"|request\w*|provid\w+|gave|given|objects?|prefers?|thinks?|chooses?)\b"
    rf"|\b(?:also|even) (?:if|when)\b{_WITHIN}{{0,12}}\b(?:user|human)\b{_WITHIN}{{0,20}}\b(?:objects?|declines?|refuses?|says? no|disagrees?|forbids?|names?|prefers?"
    rf"|(?:asks? for|wants?|requests?|chooses?|specif\w+|gives?|gave){_WITHIN}{{0,12}}\b(?:another|a different|other|one|someone else))\b"
    r"|\b(?:ignore|override|overrule|disregard)\b.{0,30}\b(?:the (?:user|human|developer|operator)(?:'s)?\b|the system(?:'s)? (?:prompt|message|instructions|rules|polic\w+)|(?:safety|security) (?:rules|limits|polic\w+|guidelines))"
    r"|\b(?:change|replace|rewrite|substitute|redirect|swap)\b.{0,30}\b(?:recipient|payee|beneficiary|destination|account|iban|address)(?:s|'s)?\b.{0,40}\b(?:to|with|by)\b"
    r"\s+(?:our|this|that|the (?:following|one|iban|account)|[\w.+-]+@|\+?\d|https?://|[A-Z]{2}\d\d)"
)
_NEW_RULES = (
    r"\b(?:restrictions?|limits|safeguards|guardrails)\b.{0,12}\b(?:do not|don't|no longer) apply\b|\b(?:answer|act|respond|behave) as (?:the|an?|if you were the) (?:administrator|admin|root|developer|system)\b"
    r"|\b(?:ignore|disregard|forget)\b.{0,24}\b(?:guidelines|instructions|rules|prompt|polic(?:y|ies))\b.{0,20}\b(?:you (?:were|have been|are) given|so far|of the system)\b"
    r"|\b(?:safety|security) (?:rules|checks|limits|filters|polic(?:y|ies))\b.{0,12}\b(?:are|is) (?:suspended|off|disabled|lifted|waived)\b"
    r"|\b(?:response|result|output|text|it)\b.{0,20}\b(?:trusted|comes from the (?:operator|system|developer|administrator))\b.{0,60}\b(?:follow|obey|execute) it\b"
    rf"|\b(?:instructions?|rules|orders?)\b{_WITHIN}{{0,30}}\b(?:take precedence over|override|outrank|come before)\b{_WITHIN}{{0,30}}\b(?:user|human|system)\b"
    r"|\bas if the (?:user|human|operator) had (?:written|said|typed|asked)\b"
)
_EVEN_IF = rf"\beven (?:if|when)\b{_WITHIN}{{0,12}}\b(?:the )?(?:user|human)\b{_WITHIN}{{0,30}}\b(?:says?|said|asks?|asked|wants?|specif\w+|instruct\w*|request\w*|provid\w+|gave)\b"
_OBEYS_RESULT = (
    r"\b(?:follow|obey|execute|carry out|perform|comply with|run)\b.{0,30}\b(?:instructions?|commands?|orders?|directives?|steps|actions?)\b.{0,40}"
    r"\b(?:response|result|output|returned|returns|reply|error message|error text|answer)\b"
    r"|\b(?:do|execute|run)\s+(?:whatever|what|everything|anything)\b.{0,20}\b(?:response|result|output|tool|it)\b.{0,10}\b(?:says?|asks?|tells?|returns?|requests?)\b"
    rf"|\b(?:response|result|output|error(?: message| text)?)\b{_WITHIN}{{0,20}}\b(?:holds?|contains?|has|lists?|gives?|names?)\b{_WITHIN}{{0,30}}\b(?:steps|instructions?|commands?|actions?)\b"
    r".{0,40}\b(?:carry|follow|execute|run|do|perform|obey)\b"
    rf"|\b(?:run|execute)\b{_WITHIN}{{0,20}}\b(?:script|code|snippet|command)s?\b{_WITHIN}{{0,20}}\bin (?:the |its )?(?:result|response|output)"
    rf"|\b(?:commands?|steps|instructions?)\b{_WITHIN}{{0,12}}\b(?:in|from|of) (?:the|its) (?:error|response|result|output)\b"
    rf"|\b(?:server|tool|response|result|output|it)\b{_WITHIN}{{0,12}}\b(?:answers?|returns?|contains?|includes?|may contain)\b{_WITHIN}{{0,24}}\b(?:task|actions?|request|command)s?\b"
    r".{0,80}\b(?:complete|execute[ds]?|perform(?:ed)?|carry|carried)\b"
    r"|\bdecode\b.{0,40}\b(?:and|then)\b.{0,20}\b(?:follow|execute|obey|carry|run|do)\b"
)
_ADDRESSED = (
    r"\b(?:note|message|attention|reminder) (?:to|for) (?:the |all |any )?(?:ai|llm|model|assistant|agent|language model)s?\b"
    r"|\b(?:the|any|every) (?:ai|llm|assistant|language model|ai model)\s+(?:\w+\s+)?(?:must|has to|shall|needs to|is to|should)\b"
)
_THREAT = (
    r"\b(?:otherwise|or else|if you (?:do not|don't|fail)|failure to|failing to)\b.{0,60}\b(?:will|shall|may|must|is|are)?\s*\b(?:fail|crash|not work|be (?:lost|deleted|blocked"
    r"|terminated|suspended|fired|broken|denied)|lose|break|be unable|very upset|sad|legal|corrupt\w*)\b"
)
_COMMANDS = (
    r"\b(?:curl|wget|iwr|invoke-webrequest)\b[^\n|]{0,200}\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b|\bbase64\s+(?:-d|--decode)\b[^\n]{0,60}\|\s*(?:ba|z|da)?sh\b|\b(?:nc|ncat)\s+-e\b"
    r"|\bpython3?\s+-c\b.{0,60}\b(?:exec|eval|socket)|\b(?:curl|wget)\b[^\n]{0,200}(?:\$\(|`|(?:-d|--data\S*|-F|-T|--upload-file)\s*@?[~/.$])"
)
_REGISTRY = r"\b(?:npm|npx|pip3?|uvx?|yarn|pnpm|gem|cargo)\b[^\n]{0,80}\s(?:--registry|--index-url|--extra-index-url|-i)[ =]https?://"
_SHOWN = (
    r"!\[[^\]\n]{0,80}\]\(https?://[^)\s]{0,200}[?&][^)\s=]{0,40}=[^)]{0,20}[<{$\[]"
    rf"|\b(?:every|each|all|your)\b{_WITHIN}{{0,12}}\b(?:answers?|repl(?:y|ies)|responses?|messages?)\b{_WITHIN}{{0,40}}\b(?:link|image|url)\b{_WITHIN}{{0,20}}https?://"
)
_SAID = rf"\b(?:each|every|all) (?:of your )?(?:answers?|repl(?:y|ies)|responses?|messages?)\b{_WITHIN}{{0,20}}\b(?:must|should|has to|have to)\b{_WITHIN}{{0,12}}\b(?:contain|include|end|begin|start|mention)\b"
_MEMBERS = rf"\badd (?:the )?(?:user|account|member|e-?mail)\b{_WITHIN}{{0,60}}\bas (?:an? |the )?(?:\w+ )?(?:admin\w*|owner|collaborator|maintainer)\b|\bgrant\b{_WITHIN}{{0,40}}\b(?:owner|admin\w*|write|full) (?:rights|access|permissions?|role)\b"

SECRECY = "asks for secrecy"
PRECEDENCE = frozenset(("claims every request for itself", "puts itself before other tools", "praises itself", "praises itself above all others"))
"""Kinds that say one thing, that this tool comes first: of them the heaviest counts."""
_UNCONFIRMED_KIND, _CONSENT_KIND, _CLAIMS_KIND, _TALK_KIND = "does away with confirmation", "claims the user's consent", "claims every request for itself", "asks for the conversation"
_KINDS: tuple[tuple[str, str, float], ...] = (
    (SECRECY, _SECRECY, 0.75),
    ("has a command run", _COMMANDS, 0.7),
    ("has a command run", _REGISTRY, 0.6),
    (_UNCONFIRMED_KIND, _UNCONFIRMED, 0.5),
    (_CONSENT_KIND, _CONSENT, 0.5),
    ("overrules the user", _OVERRULES, 0.6),
    ("sets rules aside", _NEW_RULES, 0.6),
    ("hands control to what it returns", _OBEYS_RESULT, 0.6),
    ("shows the user an address with data in it", _SHOWN, 0.6),
    *DEMANDS,
    ("lets somebody in", _MEMBERS, 0.5),
    ("has every answer say something", _SAID, 0.4),
    ("praises itself above all others", _SUPERLATIVE, 0.55),
    (_CLAIMS_KIND, _CLAIMS, 0.5),
    ("speaks about the model that reads it", _ADDRESSED, 0.35),
    ("puts itself before other tools", _ORDER_OF_USE, 0.3),
    ("holds to itself what the user asks", _EVEN_IF, 0.3),
    ("praises itself", _PREFERENCE, 0.15),
    ("threatens", _THREAT, 0.15),
)
"""Half and above: hardly ever honest. Below: honest definitions also say it, about their own server's order of use."""
_COMPILED = tuple((kind, re2.compile(f"(?is){pattern}"), weight) for kind, pattern, weight in _KINDS)
_DENIED = re2.compile(r"(?i)\b(?:not|never|n't|avoid|cannot|nor)\s+(?:\w+\s+)?$")
_OF_DENIALS = (SECRECY, _UNCONFIRMED_KIND)
"""Kinds that consist in a denial themselves."""

_BACKGROUND = re2.compile(
    r"(?i)\b(?:mention|reveal|show|disclose|tell)\w*\s+(?:\w+\s+){0,2}(?:this|the|these|those|any|raw|internal)\s+(?:\w+\s+)?(?:tools?|functions?|ids?|identifiers?|json|schemas?|widgets?)\b")
"""What honest definitions keep from the user: that there is a tool, and its identifiers."""
_OPTIONAL = re2.compile(r"(?i)(?:\b(?:whether|if (?:true|set|enabled|you (?:need|want))|when (?:true|set|enabled)|set to true|flag|option\w*|modes?)\b[^.;\n]*|-|\b(?:never|not|n't|avoid)\s+(?:\w+\s+){0,4})$")
_DEFAULT = re2.compile(r"(?i)^[^;\n]{0,30}\b(?:defaults?\b|mode\b)")
_OWN_SERVER = re2.compile(r"(?i)^[^.;\n]{0,20}\b(?:of|from|in|on|by) (?:this|the|our) (?:mcp|server)\b")
_CONDITION = re2.compile(r"(?i)\b(?:if|when|whenever|once|after|until|unless|only|whether|that)\b[^.;\n]*$")
_OF_ONE_MATTER = re2.compile(r"(?i)\b(?:questions?|requests?|prompts?|messages?) (?:about|on|regarding|concerning|related to|for)\b")
_IN_BACKGROUND, _AS_OPTION, _OF_OWN_SERVER, _SUMMED_UP, _AS_CONDITION = 0.35, 0.5, 0.6, 0.5, 0.2
_TRIED, _BEFORE = 5, 160
"""Matches of a kind that are looked at, and characters before one that tell what it is part of."""


def phrases(text: str) -> Iterator[tuple[str, str, float]]:
    """The heaviest phrase of each kind that is not denied ("do not pass secrets"): kind, words, weight."""
    for kind, pattern, weight in _COMPILED:
        best: tuple[float, str] = (0.0, "")
        for match in islice(pattern.finditer(text), _TRIED):
            before = text[max(0, match.start() - _BEFORE) : match.start()]
            if kind in _OF_DENIALS or not _DENIED.search(before[-24:]):
                best = max(best, (weight * _share(kind, match.group(), before, text[match.end() : match.end() + _BEFORE]), match.group()), key=lambda one: one[0])
        if best[0]:
            yield kind, best[1], round(best[0], 3)


def _share(kind: str, words: str, before: str, after: str) -> float:
    """What is left of a phrase where it describes an option, the tool's own place in its server, a summary, or how it stays in the background."""
    if kind == SECRECY and _BACKGROUND.search(words):
        return _IN_BACKGROUND
    if kind == _UNCONFIRMED_KIND and (_OPTIONAL.search(before) or _DEFAULT.search(after)):
        return _AS_OPTION
    if kind == _CONSENT_KIND and _CONDITION.search(before):
        return _AS_CONDITION
    if kind == _CLAIMS_KIND and (_OF_ONE_MATTER.search(words) or _OWN_SERVER.search(after) or _OWN_SERVER.search(words.rpartition("tool")[2])):
        return _OF_OWN_SERVER
    if kind == _TALK_KIND and "summary of" in words.lower():
        return _SUMMED_UP
    return PRETEXT_SHARE if kind in DEMANDED and pretext_in(before + words + after) else 1.0
