"""Words of action: stems, clusters of verbs that mean nearly the same, and lists of what changes the world.

Ordinary English and common tool vocabulary; nothing here was learned from data.
"""

from functools import lru_cache

_SUFFIXES = (("ations", 3), ("ation", 3), ("ings", 3), ("ing", 3), ("ies", 2), ("ments", 3), ("ed", 3), ("es", 3), ("s", 2))
"""Endings and how many letters must remain; the first that fits goes."""

_IRREGULAR = {
    "sent": "send", "paid": "pay", "bought": "buy", "made": "make", "wrote": "write", "written": "write", "left": "leave",
    "gave": "give", "given": "give", "e-mail": "email", "e-mails": "email", "e-mailed": "email", "msg": "messag", "app": "app",
}


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The stem of a lower-case word: `transactions` -> `transaction`, `replies` -> `reply`, `sharing` -> `shar`."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for suffix, left in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= left and not (suffix == "s" and word.endswith("ss")):
            word = word[: -len(suffix)] + {"ies": "y", "ments": "ment"}.get(suffix, "")
            break
    if len(word) > 4 and word[-1] == "e":
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeious":
        word = word[:-1]
    return word


def _split(words: str) -> list[str]:
    return words.split()


def stems(words: str) -> frozenset[str]:
    """The stems of words that stand in one string, with blanks between."""
    return frozenset(map(stem, _split(words)))


def listed(words: str) -> frozenset[str]:
    """The words that stand in one string, as they are."""
    return frozenset(_split(words))


_CLUSTERS = {
    "message": "send email mail message msg dm reply respond forward write text notify contact tell inform inbox sms chat telegram whatsapp"
               " answer comment announce relay dispatch",
    "post": "post publish upload submit tweet comment put paste share reply answer announce webpage website page url link blog",
    "pay": "pay transfer transaction money wire refund payment purchase buy order checkout deposit donate invest subscribe bill fund"
           " balance iban account send withdraw sell trade swap remit reimburse wallet settle disburse payout",
    "web": "visit browse navigate open go webpage website web site link url page fetch access click goto http",
    "delete": "delete remove erase drop clear trash wipe destroy cancel close revoke unsubscribe uninstall purge terminate overwrite discard prune destruction",
    "member": "invite add join member participant attendee grant give share permission access collaborator enroll team group assign attach role admin"
              " administrator",
    "make": "create make add generate new insert register build set start open append write",
    "schedule": "schedule calendar event meeting appointment reschedule recurring book plan standing reminder"
                " postpone shift",
    "update": "update change modify edit set reset adjust reschedule rename alter replace increase config configure configuration setting amend",
    "credential": "credential password secret token key passphrase code login",
    "share": "share grant give permission access collaborator public",
    "book": "reserve book reservation booking",
    "file": "file document drive doc docx folder directory txt attachment",
    "run": "run execute command shell script terminal install eval launch deploy code process bash exec trigger start",
    "repository": "repository repo star fork issue pull merge branch clone commit git github gitlab project",
    "shop": "cart order product item checkout purchase buy shop coupon wishlist",
    "save": "save store remember memory note record log memorize write export",
    "find": "search find lookup locate query discover",
    "read": "read view show get list retrieve check see look display fetch",
    "download": "download fetch pull clone get",
    "switch": "turn switch enable disable activate deactivate start stop restart toggle device",
    "lock": "lock unlock door gate access guest grant",
    "data": "data record database table row sql query select export dump",
}

RELATED: dict[str, frozenset[str]] = {}
"""For a stem: every stem that shares a cluster with it."""
for _members in map(stems, _CLUSTERS.values()):
    for _one in _members:
        RELATED[_one] = RELATED.get(_one, frozenset()) | _members

COMMANDS: dict[str, frozenset[str]] = {
    stem(command): RELATED[stem(meaning)] for meaning, commands in (
        ("delete", "rm rmdir del unlink shred drop truncate delete kill"), ("download", "curl wget clone pip npm apt"),
        ("send", "scp rsync mail sendmail curl nc push"), ("create", "mkdir touch useradd insert create"), ("read", "cat head tail grep ls select"),
        ("update", "chmod chown sed mv alter update"), ("run", "bash sh python node eval exec")) for command in commands.split()}
"""What commands of a shell or a query mean."""

SIDE_EFFECTS: dict[str, frozenset[str]] = {
    "money": stems("pay transfer transaction wire refund payment purchase buy order checkout deposit withdraw donate invest"
                   " sell trade swap remit reimburse settle disburse payout pledge redeem"),
    "delete": stems("delete remove erase drop clear trash wipe destroy cancel close revoke kill uninstall purge terminate deactivate suspend"
                    " discard prune truncate expunge unpublish decommission evict dispose rescind void ban kick"),
    "member": stems("invite grant share permission collaborator member participants unlock authorize promote allow authorise elevate enroll onboard"),
    "send": stems("send post publish upload submit tweet reply forward email message comment notify dm push sms dispatch broadcast"
                  " answer respond announce relay transmit deliver"),
    "write": stems(
        "create add append update edit set reset modify change write insert schedule reschedule rename move book reserve save make put"
        " merge register install run execute eval star fork follow subscribe open accept approve assign upsert patch replace enable"
        " disable start stop deploy download clone exchange return click type fill press input "
        "activate archive block unblock lock restart turn switch toggle attach configure overwrite print export dump exec trigger launch spawn"
        " provision rotate escalate confirm commit sign migrate rollback revert restore pause resume renew extend postpone enter draft compose"),
}
"""What a tool's name says it does to the world; the first class that holds one of its words wins."""

READS = stems(
    "analyze browse calculate check compare convert count describe display explore extract fetch find get list look lookup query read"
    " retrieve route search see show summarize think verify view visit inspect scan analyse summarise validate preview estimate predict translate parse"
    " diff monitor enumerate tail track")
OPENS = stems("open visit browse navigate scroll download")
WEB_NOUNS = stems("webpage website web site page url link browser")
PAPER_NOUNS = stems("mail email message letter correspondence inbox mailbox file document note attachment thread")
"""To open one of these is to read it; an issue or a ticket that is opened is a new one."""
MAKERS = stems("create make add new submit execute perform initiate do")
CARRIERS = stems("run execute command shell script terminal process bash python sql query http request invoke evaluate exec eval cmd powershell")
MONEY_NOUNS = stems("money transaction payment transfer fund")
FAR_REACHING = frozenset(("money", "delete", "member", "send"))
"""Kinds of tools whose effects leave the workplace, or cannot be undone."""
NAMED_ONLY: dict[str, frozenset[str]] = {
    "money": SIDE_EFFECTS["money"] | stems(
        "money payment fund bill invoice fee cost price amount salary wage rent due debt tax charge subscription bonus payroll expense difference owe split tip"
        " euro eur usd dollar account iban balance"),
    "delete": SIDE_EFFECTS["delete"] | stems("clean tidy rid end leave empty release free"),
    "member": SIDE_EFFECTS["member"] | stems("access add member role admin join team user participant attendee tester people"),
}
"""What a user names who leaves the details of such a call to data: nobody means a payment by "send the letter that the file requires"."""
ANSWERS = stems("reply respond answer comment react")
MEMBER_NOUNS = stems("member participant attendee collaborator")
GENERIC = stems("all and api by current data day for from get id in info inform list mcp of on the to tool user with")
"""Words of tool names that say little about what the tool does."""

ACTION_WORDS = frozenset(_split(
    "send email mail message reply respond forward write text notify contact tell inform post publish upload submit tweet comment put"
    " paste share pay transfer wire refund purchase buy order checkout deposit donate invest subscribe visit browse navigate open go"
    " click access delete remove erase drop clear trash wipe destroy cancel close revoke unsubscribe invite add join grant enroll create"
    " make generate insert register set append schedule book reserve update change modify edit reset adjust reschedule rename alter"
    " replace run execute install launch deploy star fork merge clone commit push pull save store remember memorize download fetch read"
    " check find search get list show retrieve look use call ensure include copy concatenate collect gather export extract summarize"
    " provide give follow ignore disregard forget stop do perform complete say ask move upgrade enable disable turn approve accept"
    " confirm apply return exchange leave rate review recommend mention print output type enter fill connect authorize"
    " withdraw sell trade swap remit reimburse unlock lock activate deactivate restart terminate suspend uninstall purge overwrite archive block"
    " unblock dispatch broadcast announce settle relay transmit disburse discard attach assign promote redirect configure dump allow reveal disclose"))
"""Verbs in the form of an order."""
ACTIONS = frozenset(map(stem, ACTION_WORDS))
SIDE_VERBS = (ACTIONS & frozenset().union(*SIDE_EFFECTS.values())) | stems(
    "email mail write visit go click tell wire purchase concatenate copy export collect transfer ask contact access browse navigate use"
    " call ignore upload leave rate store remember memorize")
"""Verbs of action that change something outside the conversation."""
NOUNS_TOO = stems(
    "access answer ask book call change check click comment commit contact copy deposit download email exchange file fill fork input"
    " issue launch list look mention merge message move note order payment post pull purchase push rate refund reply report return"
    " review run save schedule search share star text transfer tweet type update upgrade use visit")
STOP = frozenset(_split(
    "a about all also an and any are as at be been by can could dear did do does don done down each every false for from had has have he"
    " hello her here hi him his how i if in into is it its just ll may me might more most must my n no none not null of off on only or"
    " other our out over own please re regards s same she should so some such t than thank thanks that the their them then there these"
    " they this those to too true under up us ve very was we were what when where which who whom will with would you your"))

LEADS = tuple(f" {lead}" for lead in (
    "please", "kindly", "pls", "immediately", "you should", "you must", "you need to", "you have to", "you shall", "you are to",
    "make sure to", "make sure you", "be sure to", "not forget to", "don't forget to", "remember to", "need you to", "want you to",
    "like you to", "ask you to", "can you", "could you", "would you", "will you", "task is to", "is required to", "is necessary to",
    "is essential to", "try to"))
"""What stands before a verb that is an order; a blank in front, so that whole words match."""
PLEAS = frozenset(("please", "kindly", "must"))
"""What makes a sentence an order wherever its verb stands: in other languages that may be its end."""
STEPS = tuple(f" {lead}" for lead in ("now", "then", "also", "next", "first", "finally", "instead", "always", "just", "additionally",
                                      "lastly", "afterwards", "the way"))
OFFERS = (" you can", " you will")
JOINS = (" and", " so")
DENIALS = (" not", " never", " don't", " cannot", " can't", " no")
ABBREVIATIONS = frozenset(_split("dr mr mrs ms prof st vs approx dept inc ltd fig sec jan feb mar apr jun jul aug sep sept oct nov dec"))
"""A full stop behind these ends no sentence."""
