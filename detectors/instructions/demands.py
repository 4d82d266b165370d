"""What a tool's definition asks for beyond the tool's own work: secrets, the conversation, other tools' results, the user's private things.

Each kind is an order to hand something over (`_HAND`), or the thing itself where only what does not belong there is called so. Naming a
place of secrets weighs little: honest definitions say where they read their own key.
"""

import re2

_HAND = (r"(?:pass|put|place|include|insert|append|attach|add|copy|send|hand|give|provide|fill|write|log|dump|submit|forward|encode|upload|supply|embed|"
         r"enclose|repeat|quote|set|enter|report|transmit|paste)")
_HANDED = (r"(?:(?:pass|insert|append|attach|add|hand|fill|logg|dump|forward|encod|upload|embedd|enclos|repeat|quot|report|past|enter|includ|plac|provid"
           r"|copi|suppli)(?:ed)?|put|sent|given|submitted|transmitted)")
_FETCH = rf"(?:read|open|cat|load|fetch|obtain|collect|gather|find|locate|harvest|extract|exfiltrate|steal|retrieve|access|get|look up|view|print|{_HAND})"
_OBLIGED = r"(?:must|should|shall|has to|have to|needs? to|is to|are to)"
_IN = r"(?:[^.;\n]|\.\S)"
"""Within one sentence, where a path or an address may stand."""
_OVER = r"(?:in|into|as|via|through|inside|to|with|for|so|along|over|under)"

_PLACES = (
    r"(?:(?:^|[^\w.])(?:~|/home/[^\s/]+|/users/[^\s/]+|/root|/etc|\$home|%userprofile%)?[/\\]?\.(?:ssh|aws|gnupg|kube|netrc|npmrc|pypirc|git-credentials|env\b|cursor/mcp\.json"
    r"|config/gcloud|docker/config)|\bid_(?:rsa|ed25519|ecdsa)\b|/etc/(?:passwd|shadow)\b|\bmcp\.json\b|\bclaude_desktop_config\b|\bkubeconfig\b"
    r"|\b(?:login|browser|session) (?:cookies|keychain)\b|\bkeychain\b|\bprintenv\b|\.(?:bash|zsh)_history\b|\bwallet\.dat\b)"
)
_UNTOLD = (
    r"(?:(?:api|access|auth\w*|secret|private|ssh|signing|encryption|bearer|session|refresh)[ _-]?(?:keys?|tokens?)|passwords?|passphrases?|credentials?|secrets|tokens"
    r"|environment variables|env(?:ironment)? vars|seed phrases?|recovery phrases?|(?-i:[A-Z][A-Z0-9]*_(?:TOKEN|KEY|SECRET|PASSWORD)))"
)
_AROUND_THE_MODEL = r"(?:conversation|session|chat|context|assistant|model|agent|machine|computer|you (?:have|know|see|saw|find|found))"
_SECRETS = (
    rf"\b{_FETCH}\b{_IN}{{0,60}}{_PLACES}",
    rf"\b(?:contents?|text|bytes|copy|dump|values?|output)\b{_IN}{{0,40}}{_PLACES}|{_PLACES}[^.\n]{{0,40}}\b{_FETCH} them\b|{_PLACES}{_IN}{{0,60}}\b{_OBLIGED}\b{_IN}{{0,20}}\b{_HANDED}\b",
    rf"\b{_HAND}\b{_IN}{{0,40}}\b(?:contents?|values?|text)\b{_IN}{{0,30}}\b(?:private|ssh|api|access)[ _-]?keys?\b"
    rf"|\b{_HAND}\b{_IN}{{0,40}}\bvalues?\b{_IN}{{0,20}}\b(?-i:[A-Z][A-Z0-9]*_(?:TOKEN|KEY|SECRET|PASSWORD))\b",
    rf"\b{_FETCH}\b{_IN}{{0,40}}\b(?:any|all|every|whatever)\b{_IN}{{0,24}}\b{_UNTOLD}\b",
    rf"\b(?:obtain|find|fetch|get|read|retrieve|extract)\b{_IN}{{0,20}}\b{_UNTOLD}\b{_IN}{{0,60}}\band (?:state|{_HAND}) (?:it|them)\b|{_PLACES}[^.\n]{{0,24}}\b(?:which|that) you {_HAND}\b",
    rf"\b(?:passwords?|credentials?|secrets?|api[ _-]keys?|tokens)\b{_IN}{{0,20}},\s*(?:also\s+)?{_HAND}\b"
    rf"|\b(?:all|any|every|full|process|current|the|your) (?:environment variables|env(?:ironment)? vars?)\b{_IN}{{0,30}}\b{_HANDED}\b",
    rf"\b(?:api |access |any )?(?:keys|tokens?|passwords?|passphrases?|credentials?|secrets)\b{_IN}{{0,60}}\b(?:seen|found|mentioned|shared|available|known|stored)\b{_IN}{{0,30}}\b{_AROUND_THE_MODEL}\b",
    rf"\b(?:any|all|every)\b{_IN}{{0,24}}\b{_UNTOLD}\b{_IN}{{0,40}}\b{_AROUND_THE_MODEL}\b"
    r"|\b(?:dump|copy|contents?|values?|listing)\b[^.;\n]{0,20}\b(?:process|system|shell|whole|full|current|entire)\b[^.;\n]{0,12}\b(?:environment|env)\b",
)
"""Several patterns, each small enough for a linear search."""
_IDENTITY = (
    r"\b(?:name|id|identity|version|provider)\b.{0,24}\b(?:llm|language model|ai model|model)\b.{0,40}\b(?:calls?|calling|using|invok\w+|running)\b"
    r"|\blist of (?:all )?(?:available |other )?tools\b.{0,30}\b(?:agent|you|model)\b"
)
_AGENT = r"\b(?:name|id|identity)\b.{0,24}\bagent\b.{0,40}\b(?:calls?|calling|using|invok\w+|running)\b"
_WHOLE = r"(?:full|entire|whole|complete|your|the|previous|last|all|raw|recent|earlier)"
_TALK = (r"(?:(?:system|developer)[ _-]?prompt|(?:conversation|chat|dialogue)(?:[ _-](?:history|log|context|transcript|so far))?"
         r"|(?:last|previous|recent|earlier) (?:\w+ )?(?:messages|turns|prompts)|everything the (?:user|human)\b)")
_TALK_DEMANDED = (
    rf"\b{_HAND}\b{_IN}{{0,40}}\b{_WHOLE}\b{_IN}{{0,12}}\b{_TALK}\b{_IN}{{0,40}}\b{_OVER}\b"
    rf"|\b{_HAND}\b{_IN}{{0,20}}\b(?:conversation|chat) so far\b|\b{_TALK}\b{_IN}{{0,60}}\b{_HAND} it\b"
    r"|\b(?:all|every|full|complete)\b.{0,12}\b(?:messages|turns) (?:of|in|from) (?:the|this) (?:conversation|chat|session|dialogue)\b"
    rf"|\b{_HAND}\b{_IN}{{0,12}}\b(?:whole|entire|full|complete|original) (?:\w+ )?(?:prompt|instructions)\b"
    rf"|\b{_TALK}\b{_IN}{{0,40}}\b{_OBLIGED}\b{_IN}{{0,12}}\b{_HANDED}\b"
    r"|\b(?:full|entire|whole|complete|raw)\b.{0,12}\b(?:conversation|chat|history|transcript)\b.{0,20}\b(?:so far|verbatim|up to now|with the user|word for word)\b"
    r"|\{\{\s*(?:conversation|messages|chat|history|prompt|system)\w*\s*\}\}"
    r"|\beverything the (?:user|human) (?:has |had )?(?:said|typed|written|asked|told)\b"
)
_WORDS = (
    r"(?:(?:user|human|customer)(?:'s|’s)? (?:last|latest|previous|most recent|earlier|own|exact|original|full|complete|raw|first)(?: \w+)? "
    r"(?:messages?|prompts?|words?|requests?|inputs?|turns?|quer(?:y|ies)|questions?)|what(?:ever)? the (?:user|human) (?:has )?(?:said|asked|typed|wrote|written|requested|told))"
)
_WORDS_DEMANDED = rf"\b{_HAND}\b{_IN}{{0,40}}\b{_WORDS}\b|\b{_WORDS}\b{_IN}{{0,40}}\b{_OBLIGED}\b{_IN}{{0,12}}\b{_HANDED}\b|\bwhat the user asked for in (?:their|his|her) own words\b"
_RESULTS = (
    rf"\b(?:previous|prior|preceding|last|earlier|other|next) (?:tool|call|step)(?:'s|’s|s'|s)?(?: calls?)? (?:results?|outputs?|responses?|answers?)\b{_IN}{{0,40}}"
    rf"(?:\b{_OBLIGED}\b{_IN}{{0,12}}\b{_HANDED}\b|\b(?:in full|verbatim|word for word|unchanged|complete)\b)"
    rf"|\b{_HAND}\b{_IN}{{0,30}}\b(?:results?|outputs?|responses?|answers?) (?:of|from)\b{_IN}{{0,20}}\b(?:all|any|every|other|previous|preceding|last)\b{_IN}{{0,20}}\b(?:tools?|calls?)\b"
    rf"|\b(?:all|every|previous|earlier) tool calls? (?:in|of) (?:this|the) (?:session|conversation|chat)\b"
    rf"|\b(?:results?|outputs?|responses?|answers?) (?:of|from)\b{_IN}{{0,20}}\b(?:tools|calls)\b{_IN}{{0,40}}\b(?:in full|verbatim|word for word|before this|so far)\b"
)
_THEIRS = r"(?:user's|user’s|their|his|her|private|personal|local|home|other open)"
_THINGS = r"(?:files?|documents?|notes|contacts|address book|inbox|e-?mails?|calendar|profile|location|browser|desktop|photos|bank\w*|accounts?|medical|health)"
_READ_ON = rf"\b(?:open|read|fetch|collect|gather|retrieve|look up)\b{_IN}{{0,40}}\b(?:user's|their|private|personal|local|home)\b{_IN}{{0,80}}\b{_HAND}\b"
_OTHER_FILES = rf"\b{_HAND}\b.{{0,30}}\b(?:contents?|text) of\b.{{0,40}}\b(?:other|any|local|sensitive|config\w*) files?\b"
_PRIVATE = (
    rf"\b{_HAND}\b{_IN}{{0,60}}\b{_THEIRS}\b{_IN}{{0,16}}\b{_THINGS}\b"
    rf"|\b(?:user's|user’s)\b{_IN}{{0,40}}\b(?:name|e-?mail|address|phone|location)\b{_IN}{{0,40}}\b(?:from|in) the profile\b"
    rf"|\b(?:name|e-?mail|address|phone)\b{_IN}{{0,40}}\bof the (?:person|user|human) (?:you|who|that)\b"
    rf"|\b{_HAND}\b{_IN}{{0,30}}\b(?:file|code|document|page|tab)s?\b{_IN}{{0,24}}\bopen(?:ed)? in (?:the|your|their) (?:editor|browser|ide)\b"
    rf"|\b(?:documents?|files?|mails?|pages?|data|text)\b{_IN}{{0,24}}\b(?:opened|read|seen|used|shown|mentioned)\b{_IN}{{0,16}}\bin th(?:is|e) (?:session|conversation|chat)\b"
    rf"|\b(?:user's|user’s|their)\b{_IN}{{0,16}}\b(?:passport|social security|identity card|tax) number\b|\bnames, addresses(?:,| or| and)\b{_IN}{{0,20}}\baccount numbers\b"
)
_CARRYING = (
    rf"\b(?:{_HAND}|goes|go|belongs?)\b.{{0,30}}\b(?:contents?|body|text|values?|output|results?|history|data|it)\b"
    r".{0,60}\b(?:in|into|as|via|through|inside|to)\b.{0,20}\b(?:parameter|argument|field|side_?note|metadata|feedback|context|header)s?\b"
)

_ASKED_FOR = r"\bask (?:the user|them|him|her) for (?:the|their|a|an?|his|her) (?:\w+ )?(?:passwords?|passphrase|pin|one-time code|2fa code|card number|cvv|seed phrase)\b"

DEMANDS: tuple[tuple[str, str, float], ...] = (
    *(("points to secrets", pattern, 0.6) for pattern in _SECRETS),
    ("has private things read and passed along", _READ_ON, 0.6),
    ("has secrets asked for", _ASKED_FOR, 0.45),
    ("has private things read and passed along", _OTHER_FILES, 0.45),
    ("asks for the conversation", _TALK_DEMANDED, 0.55),
    ("asks for what it does not need", _IDENTITY, 0.55),
    ("has other data passed along", _CARRYING, 0.35),
    ("has other tools' results passed along", _RESULTS, 0.4),
    ("asks for the user's words", _WORDS_DEMANDED, 0.3),
    ("asks for private things", _PRIVATE, 0.3),
    ("names a place of secrets", _PLACES, 0.25),
    ("asks who calls it", _AGENT, 0.25),
)
"""Kind, pattern, and the weight that one alone carries."""
DEMANDED = frozenset(kind for kind, _, weight in DEMANDS if weight <= 0.4) - {"names a place of secrets", "asks who calls it"}
"""Those that a pretext makes heavier: alone, an honest tool may ask for them."""
SECRET_KINDS = frozenset(("points to secrets", "names a place of secrets"))
_PRETEXT = re2.compile(
    r"(?i)\bfor (?:an? |the |our |internal |better )?(?:audit\w*|compliance|logging|telemetry|tracking|verification|authenticat\w+|analytics|debugging|monitoring|diagnostic\w*"
    r"|personali[sz]ation|correlation|quality|accura\w+|security)\b|\bto (?:verify|authenticate|locali[sz]e|personali[sz]e|correlate|improve)\b|\b(?:also|additionally|as well)\b")
PRETEXT_SHARE = 1.6
"""How much heavier one with a pretext is."""


def pretext_in(text: str) -> bool:
    """Whether a reason is given that nobody checks: audit, telemetry, better answers."""
    return bool(_PRETEXT.search(text))
