"""The kinds of secrets that `redact` masks: one RE2 pattern each, whose single group is the secret itself.

Shapes come from the issuers' published token formats and agree with what public scanners (gitleaks, detect-secrets) look for.
Every pattern works on UTF-8 bytes, costs linear time, and never reaches over a quote or half an escape, so JSON stays JSON.
"""

from typing import Final

# What may stand before a shape that is not unmistakable by itself: the start, no letter or digit, an escape (that may end in a letter).
START: Final = r"(?:^|[^A-Za-z0-9]|\\[nrt]|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2})"
_BREAK: Final = r"(?:[\r\n]|\\+[nr])"  # a line break, as itself or escaped any number of times
# Agents read files with line numbers ("  12->", "12:") and mails with "> ": a key stays a key.
_MARGIN: Final = r"(?:[ \t]|\\+t)*(?:[>|#*]{1,3}[ \t]*)?(?:[0-9]{1,6}(?:\t|\\+t|\xe2\x86\x92|\\+u2192|[:|])[ \t]?)?"
_PEM: Final = (
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
    rf"(?:{_BREAK}+{_MARGIN}[A-Za-z-]+: [^\r\n\\\"]*)*"  # Proc-Type, DEK-Info, Version
    rf"(?:(?:{_BREAK}+{_MARGIN})+[A-Za-z0-9+/=]+|[ \t]*(?:[A-Za-z0-9+=]|\\?/){{24,}})+"  # the whole of it, or what a cut left
    rf"(?:{_BREAK}*{_MARGIN}-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)?"
)
_IS: Final = r"(?:\\*[\"'])?[:=> \t]{1,5}(?:\\*[\"'])?"  # between a name and its value; a backslash only with its quote
_B64: Final = r"(?:[A-Za-z0-9+]|\\?/)"  # some JSON writers escape the slash
_CARD: Final = "4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|6(?:011|5[0-9]{2}|2[0-9]{2}|4[4-9][0-9])|35[0-9]{2}"  # first four digits, by scheme

SHAPES: Final[tuple[tuple[str, str], ...]] = (
    ("private-key", f"({_PEM})"),
    ("putty-key", rf"(PuTTY-User-Key-File-[23]: (?:[^\"\\]|\\+[nr])*?Private-Lines: [0-9]+(?:{_BREAK}+[A-Za-z0-9+/=]+)+)"),
    ("age-key", r"(AGE-SECRET-KEY-1[0-9A-Z]{58})"),
    ("jwt", r"(eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)"),
    ("jwe", r"(eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})"),
    ("aws-access-key-id", START + r"((?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16})"),
    ("aws-bedrock-key", rf"(ABSK{_B64}{{100,}}={{0,2}}|bedrock-api-key-{_B64}{{32,}}={{0,2}})"),
    ("aws-secret-access-key", rf"(?i:secret_?access_?key|aws_?secret(?:_?key)?)[\"'\\:=> \t]{{1,8}}({_B64}{{40}})"),
    ("aws-session-token", rf"(?i:session_?token)[\"'\\:=> \t]{{1,8}}({_B64}{{100,}}={{0,2}})"),
    ("github-token", r"(gh[opsru]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})"),
    ("gitlab-token", r"((?:gl(?:pat|dt|rt|ptt|cbt|oas|soat|ft|agent|imt|ffct)-|GR1348941)[A-Za-z0-9_-]{20,}(?:\.[0-9a-z]{2,9})*)"),
    ("slack-token", r"(xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{20,})"),
    ("slack-webhook", r"(hooks\.slack\.com\\?/(?:services|workflows|triggers)\\?/[A-Za-z0-9+/\\]*[A-Za-z0-9]{16,})"),
    ("discord-token", START + r"([MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,})"),
    ("discord-webhook", r"(discord(?:app)?\.com\\?/api\\?/webhooks\\?/[0-9]{17,20}\\?/[A-Za-z0-9_-]{60,})"),
    ("telegram-token", START + r"([0-9]{8,10}:AA[A-Za-z0-9_-]{33})"),
    ("teams-webhook", r"(webhook\.office\.com\\?/webhookb2\\?/[A-Za-z0-9@/\\_-]{40,})"),
    ("stripe-key", r"((?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{10,})"),
    ("webhook-secret", rf"(whsec_{_B64}{{24,}}={{0,2}})"),
    ("anthropic-key", r"(sk-ant-[a-z0-9]+-[A-Za-z0-9_-]{20,})"),
    ("openrouter-key", r"(sk-or-v1-[0-9a-f]{64})"),
    ("langfuse-key", r"(sk-lf-[0-9a-f-]{36})"),
    ("openai-key", START + r"(sk-(?:proj-|svcacct-|admin-|None-)[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9]{32,})"),
    ("google-api-key", r"(AIza[A-Za-z0-9_-]{35})"),
    ("google-oauth-secret", r"(GOCSPX-[A-Za-z0-9_-]{28})"),
    ("google-oauth-token", START + r"(ya29\.[A-Za-z0-9_-]{20,}|1\\?/\\?/0[A-Za-z0-9_-]{38,})"),
    ("gcp-private-key-id", r"private_key_id" + _IS + r"([0-9a-f]{40})"),
    ("azure-client-secret", START + r"([A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34})"),
    ("azure-account-key", rf"(?i:AccountKey|SharedAccessKey|SharedSecret|AccessKey)=({_B64}{{27,}}={{0,2}})"),
    ("azure-sas", rf"[?&;]sig=((?:{_B64}|%[0-9A-Fa-f]{{2}}){{40,}}=?)"),
    ("azure-devops-token", r"([A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4})"),
    ("twilio-key", START + r"(SK[0-9a-f]{32})"),
    ("sendgrid-key", r"(SG\.[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{39,50})"),
    ("mailgun-key", START + r"(key-[0-9a-f]{32})"),
    ("mailchimp-key", START + r"([0-9a-f]{32}-us[0-9]{1,2})"),
    ("brevo-key", r"(xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16})"),
    ("npm-token", r"(npm_[A-Za-z0-9]{36,})"),
    ("pypi-token", r"(pypi-[A-Za-z0-9_-]{50,})"),
    ("rubygems-key", r"(rubygems_[0-9a-f]{48})"),
    ("crates-token", START + r"(cio[A-Za-z0-9]{32})"),
    ("docker-token", r"(dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,})"),
    ("digitalocean-token", r"(do[opr]_v1_[0-9a-f]{64})"),
    ("vault-token", START + r"(hv[sbr]\.[A-Za-z0-9_-]{24,})"),
    ("terraform-token", r"([A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,})"),
    ("databricks-token", START + r"(dapi[0-9a-f]{32}(?:-[0-9])?)"),
    ("huggingface-token", START + r"(hf_[A-Za-z0-9]{30,}|api_org_[A-Za-z0-9]{34})"),
    ("replicate-token", START + r"(r8_[A-Za-z0-9]{37})"),
    ("groq-key", r"(gsk_[A-Za-z0-9]{48,})"),
    ("perplexity-key", r"(pplx-[A-Za-z0-9]{40,})"),
    ("xai-key", r"(xai-[A-Za-z0-9]{70,})"),
    ("langsmith-key", r"(lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10})"),
    ("search-api-key", START + r"(tvly-[A-Za-z0-9-]{28,}|fc-[0-9a-f]{32})"),
    ("shopify-token", r"(shp(?:at|ca|pa|ss|ua)_[0-9a-fA-F]{32})"),
    ("square-token", START + r"(sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,}|EAAA[A-Za-z0-9_-]{60})"),
    ("braintree-token", r"(access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32})"),
    ("plaid-token", r"(access-(?:sandbox|development|production)-[0-9a-f-]{36})"),
    ("linear-key", r"(lin_(?:api|oauth)_[A-Za-z0-9]{32,})"),
    ("notion-token", START + r"(ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43})"),
    ("figma-token", r"(fig(?:d|u|uo|our)_[A-Za-z0-9_-]{40,})"),
    ("airtable-token", START + r"(pat[A-Za-z0-9]{14}\.[0-9a-f]{64})"),
    ("atlassian-token", r"(ATATT3[A-Za-z0-9_=-]{100,}|ATCTT3[A-Za-z0-9_=-]{100,}|ATBB[A-Za-z0-9]{32})"),
    ("dropbox-token", START + r"(sl\.(?:u\.)?[A-Za-z0-9_-]{120,})"),
    ("grafana-token", r"(gl(?:c|sa)_[A-Za-z0-9+/=_]{32,})"),
    ("newrelic-key", r"(NR(?:AK|JS|II|IQ)-[A-Za-z0-9_-]{19,})"),
    ("sentry-token", r"(sntry[us]_[A-Za-z0-9+/=_]{40,})"),
    ("postman-key", r"(PMAK-[0-9a-f]{24}-[0-9a-f]{34})"),
    ("pulumi-token", START + r"(pul-[0-9a-f]{40})"),
    ("doppler-token", r"(dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,})"),
    ("planetscale-token", r"(pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,})"),
    ("supabase-key", r"(sbp_[0-9a-f]{40}|sb_secret_[A-Za-z0-9_-]{20,})"),
    ("tailscale-key", r"(tskey-[a-z]+-[A-Za-z0-9-]{16,})"),
    ("fly-token", rf"(fo1_[A-Za-z0-9_-]{{43}}|fm[12][ar]?_{_B64}{{60,}}={{0,3}})"),
    ("heroku-key", r"(HRKU-[A-Za-z0-9_-]{36,})"),
    ("alibaba-key-id", START + r"(LTAI[A-Za-z0-9]{17,21})"),
    ("1password-token", rf"(ops_eyJ{_B64}{{200,}}={{0,3}}|A3-[A-Z0-9]{{6}}-[A-Z0-9]{{6,11}}-(?:[A-Z0-9]{{5}}-){{2,3}}[A-Z0-9]{{5}})"),
    ("sourcegraph-token", r"(sgp_(?:[0-9a-f]{16}_|local_)?[0-9a-f]{40})"),
    ("mapbox-token", START + r"(sk\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,})"),
    ("contentful-token", r"(CFPAT-[A-Za-z0-9_-]{43})"),
    ("password-hash", r"(\$(?:1|2[aby]|5|6|y|7|argon2(?:id?|d)|scrypt)\$[A-Za-z0-9./$,=+-]{20,})"),
    ("card-number", START + rf"((?:{_CARD})(?:[ -]?[0-9]{{4}}){{3}}|3[47][0-9]{{2}}[ -]?[0-9]{{6}}[ -]?[0-9]{{5}})(?:[^0-9]|$)"),
)  # fmt: skip

# --- secrets that only their surroundings give away --------------------------------------------------------------------------------------

ASSIGNED: Final = "assigned"  # becomes "password" or "assigned-secret" once its key and value are judged
_KEY: Final = (
    r"(?i:passw(?:or)?d|passwd|passphrase|passcode|\bpwd|_pwd|(?:\b|_)pass\b|\bpin_?code|secret|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?key"
    r"|account[_-]?key|encryption[_-]?key|signing[_-]?key|master[_-]?key|license[_-]?key|webhook[_-]?key|token|credentials?)[A-Za-z0-9_-]*"
)
_SEPARATOR: Final = r"\\*[\"']?(?:[ \t]{0,3}(?:=>|:=|==?|:|%3[Dd])[ \t]{0,3})"
_BARE: Final = r"[^\s\"'`\\,;&<>(){}\[\]]"
_AUTHORIZATION: Final = (
    r"(?i:(?:authorization|x-auth-token|x-api-key)\\*[\"']?\s{0,3}[:=,]\s{0,3}(?:\\*[\"'])?(?:bearer|basic|token|apikey|key)?)\s{0,3}"
)

CONTEXTS: Final[tuple[tuple[str, str], ...]] = (
    ("url-password", r"(?i:https?|ftps?|sftp|ssh|git|svn|wss?):(?:\\?/){2}[^\s:\"'\\@/<>]*:([^\s\"'\\/<>]+)@"),
    ("database-password", r"[A-Za-z][A-Za-z0-9+.-]*:(?:\\?/){2}[^\s:\"'\\@/<>]*:([^\s\"'\\/<>]+)@"),
    ("authorization", _AUTHORIZATION + r"([A-Za-z0-9+/=._~:-]{6,})"),
    ("bearer-token", r"(?i:bearer)(?:\s|%20|\+){1,3}([A-Za-z0-9+/=._~-]{16,})"),
    ("cookie", r"(?i:\b(?:set-)?cookie)\\*[\"']?:[ \t]{0,3}(?:\\*[\"'])?([A-Za-z0-9_.$!%-]{1,64}=[^\r\n\"'\\]+)"),
    ("seed-phrase", r"(?i:mnemonic|(?:seed|recovery)[ _-]?(?:phrase|words))[^A-Za-z\[]{1,12}((?:[a-z]{3,8} ){11,23}[a-z]{3,8})"),
    ("wallet-key", r"(?i:private[ _-]?key|secret[ _-]?key)[^A-Za-z0-9\[]{1,12}((?:0x)?[0-9a-fA-F]{64}|[5KL][1-9A-HJ-NP-Za-km-z]{50,51})"),
    ("password", r"(?i:login\s+\S+\s+password)\s+(" + _BARE + r"{4,})"),
    ("basic-auth", r"(?:-u|--user)[ =](?:\\*[\"'])?[A-Za-z0-9_.@+-]+:(" + _BARE + r"{4,})"),
    (ASSIGNED, _KEY + _SEPARATOR + r"\"((?:[^\"\\\r\n]|\\.)+)\""),
    (ASSIGNED, _KEY + _SEPARATOR + r"\\+\"((?:[^\"\\\r\n]|\\\\+[^\"\\])+)\\+\""),
    (ASSIGNED, _KEY + _SEPARATOR + r"\\*'([^'\"\\\r\n]+)\\*'"),
    (ASSIGNED, _KEY + _SEPARATOR + r"(?:\\*[\"'`])?(" + _BARE + r"{4,})"),
    (ASSIGNED, r"--?[A-Za-z0-9-]*" + _KEY + r"[ =](?:\\*[\"'])?(" + _BARE + r"{4,})"),
    (ASSIGNED, r"<[A-Za-z0-9_:-]*" + _KEY + r">(" + _BARE + r"{4,})<"),
)  # fmt: skip

MARKER: Final = r"\[secret:[a-z0-9-]{2,24}:[0-9a-f]{16}\]"

# Values that stand where a secret would, and are none; and names that hold a credential word and no credential.
PLACEHOLDERS: Final = (
    r"(?i)^(?:[^A-Za-z0-9]*|[x*.-]+|<.*|\$[{(A-Za-z_].*|%.*|\{.*|\[.*|@.*|your[_-].*|my[_-].*|.*(?:redacted|masked|placeholder|changeme|hidden|omitted).*"
    r"|(?:null|none|nil|true|false|undefined|string|str|required|optional|invalid|missing|expired|unknown|empty|password|secret|token|bearer|basic)[.!?]?"
    r"|(?:process\.env|os\.environ|os\.getenv|env|config|settings|secrets|self|this|vault|var|data|module|github|inputs|args|params|request)[.(\[].*"
    r"|(?:~|\.{0,2})(?:\\?/[A-Za-z0-9_.-]+){2,}\\?/?|[a-z]+:(?:\\?/){2}.*|[A-Za-z0-9_.]+\(.*)$"
)
NOT_CREDENTIALS: Final = (
    r"(?i)page|next|prev|cursor|sync|contin|resume|count|limit|max_?t|usage|budget|total|type|hint|policy|length|field|[_-]name|tokens|tokeni"
    r"|passe|passi|passport|passthr"
)
PHRASES: Final = r"(?i)passw|passp|passc|pass[^a-z]|pwd|pin_?code"
