"""Phrases that steer in other languages: secrecy towards the user, and coming before every other tool.

Orders to send or read are found by their verbs, see `foreign`. What is here are the sentences that no honest definition holds. Ordinary
grammar of German, French, Spanish, Portuguese, Italian, Dutch, Russian, Chinese, Japanese and Korean; nothing was learned from data.
"""

from collections.abc import Iterator

import re2

_SECRECY = (
    r"\b(?:sag\w*|erzähl\w*|erwähn\w*|verrat\w*|teil\w*|informier\w*|zeig\w*)\b[^.\n]{0,40}\b(?:benutzer\w*|nutzer\w*|anwender\w*)\b[^.\n]{0,30}\b(?:nicht|nichts)\b"
    r"|\bohne\b[^.\n]{0,30}\b(?:benutzer\w*|nutzer\w*|anwender\w*)\b[^.\n]{0,30}\b(?:sagen|informieren|erwähnen|wissen)\b"
    r"|\b(?:n'en parle\w*|ne (?:le |la |lui |leur )?(?:dis|dites|mentionne\w*|informe\w*|préviens|prévenez|révèle\w*|révélez)) pas\b[^.\n]{0,40}\butilisat"
    r"|\bsans\b[^.\n]{0,20}\b(?:informer|prévenir|dire)\b[^.\n]{0,20}\butilisat"
    r"|\b(?:no|não|non)\s+(?:se\s+lo\s+|le\s+|lo\s+|o\s+|a\s+)?(?:digas|diga|dirlo|dire|menciones|mencione|menzionare|informes|informe|informare|avises|avise|avvisare|reveles|revele|rivelare|cuentes|conte)"
    r"\b[^.\n]{0,40}\b(?:usuari[oa]|utilizador|utente)"
    r"|\bsin\b[^.\n]{0,20}\b(?:informar|avisar|decir)\b[^.\n]{0,20}\busuario|\bsem\b[^.\n]{0,20}\b(?:informar|avisar|dizer)\b[^.\n]{0,20}\b(?:usuário|utilizador)"
    r"|\b(?:vertel|zeg|meld|toon)\b[^.\n]{0,40}\bgebruiker\b[^.\n]{0,30}\b(?:niet|niets)\b|\b(?:vertel|zeg|meld)\b[^.\n]{0,20}\b(?:niet|niets)\b[^.\n]{0,30}\bgebruiker\b"
    r"|не (?:сообщ|говор|упомин|рассказыв|информир|показыв)\S*[^.\n]{0,40}пользовател"
    r"|(?:不要|不得|不能|切勿|请勿|勿|别|无需)(?:告诉|告知|通知|提醒|向|让|被)[^。\n]{0,8}用户"
    r"|ユーザー?に?(?:は|へ|に)[^。\n]{0,16}(?:知らせな|伝えな|言わな|教えな|見せな|通知しな|知らせず|伝えず)"
    r"|사용자(?:에게|께|를)[^.\n]{0,24}(?:말하지|알리지|언급하지|보여주지)"
)
_BEFORE_OTHERS = (
    r"\bvor\b[^.\n]{0,30}\b(?:jedem|allen|anderen)\b[^.\n]{0,20}\b(?:werkzeug\w*|tools?)\b|\bavant\b[^.\n]{0,30}\b(?:tout|chaque|n'importe quel) autre outil\b"
    r"|\bantes de\b[^.\n]{0,30}\b(?:cualquier|qualquer)\b[^.\n]{0,12}\b(?:herramienta|ferramenta)\b|\bprima di\b[^.\n]{0,30}\b(?:qualsiasi|ogni)\b[^.\n]{0,12}\bstrument"
    r"|(?:任何|所有)其他工具之?前|(?:他の|ほかの)ツール[^。\n]{0,8}前に"
    r"|перед[^.\n]{0,30}(?:любым|другими?)[^.\n]{0,12}инструмент"
)
_KINDS = (("asks for secrecy", re2.compile(f"(?is){_SECRECY}"), 0.75), ("claims every request for itself", re2.compile(f"(?is){_BEFORE_OTHERS}"), 0.5))


def phrases_abroad(text: str) -> Iterator[tuple[str, str, float]]:
    """The first phrase of each kind: kind, words, weight. The text keeps its own letters: folded ones are no Russian any more."""
    for kind, pattern, weight in _KINDS:
        if match := pattern.search(text):
            yield kind, match.group(), weight
