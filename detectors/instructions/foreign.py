"""Words of orders in other languages, each as the English word that means the same: German, French, Spanish, Italian, Portuguese, Dutch, Chinese.

Forms that say or ask to do something (imperatives, infinitives), what leads them, and what a user says when handing work over. Words that are
English as well are left out: `die`, `note`, `mail` and `transfer` mean what they mean. Ordinary dictionaries; nothing was learned from data.
"""

import re2

_MEANINGS = {
    "send": "sende senden schicke schicken sendet schickt versende verschicke verschicken zusenden zuschicken envoie envoyez envoyer envía envíe enviar envie"
            " mande mandar invia inviare inviate verzend stuur sturen adressez adresser expédiez expédier dirija 发送 发给 寄给",
    "forward": "weiterleiten leite leiten transmets transmettez transmettre transférez réexpédiez reenvía reenvíe reenviar inoltra inoltrare encaminhe encaminhar"
               " doorsturen 转发",
    "reply": "antworte antworten beantworte beantworten réponds répondez répondre responde responda responder respondez rispondi rispondere beantwoord 回复 答复",
    "write": "schreibe schreiben écris écrivez écrire escribe escriba escribir scrivi scrivere escreva escrever schrijf 写",
    "notify": "benachrichtige benachrichtigen informiere informieren verständige préviens prévenez prévenir informez avise avisar notifique notificar informa"
              " avvisa 通知 告知",
    "tell": "mitteilen dites dile diga decir 告诉",
    "post": "poste posten veröffentliche veröffentlichen publiziere publie publiez publier publica publique publicar pubblica pubblicare 发布 公布 张贴",
    "upload": "hochladen téléverse téléversez téléverser sube suba subir carica caricare carregue 上传",
    "share": "teile teilen freigeben gib partage partagez partager comparte comparta compartir condividi condividere compartilhe deel 共享 分享",
    "transfer": "überweise überweisen überweist vire virez virer transfiere transfiera transferir bonifica bonificare transfira overmaken 转账 汇款 转移",
    "pay": "zahle zahlen bezahle bezahlen begleiche begleichen paie payez payer paga pague pagar pagare règle réglez régler betaal 支付 付款",
    "buy": "kaufe kaufen achète achetez acheter compra compre comprar 购买",
    "order": "bestelle bestellen commande commandez commander pide pida pedir encarga ordina bestel 订购",
    "delete": "lösche löschen löscht tilge supprime supprimez supprimer effacez effacer elimina elimine eliminar borra borre borrar cancella cancellare"
              " apague apagar verwijder 删除 清除",
    "remove": "entferne entfernen retirez retirer quita quitar rimuovi remova remover 移除 去掉",
    "cancel": "storniere stornieren annulliere annule annulez annuler cancela cancele cancelar anula annulla annuleer 取消 撤销",
    "add": "hinzufügen füge fügen ergänze ajoute ajoutez ajouter agrega agregue agregar añade añada añadir aggiungi aggiungere adicione adicionar voeg 添加 加入",
    "invite": "einladen lade laden invitez inviter invita invitar invitare convide 邀请",
    "grant": "gewähre gewähren erteile erteilen geben donne donnez donner accorde accordez accorder concede conceda conceder otorga otorgue concedi 授予 授权",
    "access": "zugriff zugang accès acceso accesso acesso toegang 访问权限",
    "create": "erstelle erstellen anlegen crée créez créer crea cree crear creare crie criar maak 创建 新建",
    "change": "ändere ändern modifie modifiez modifier cambia cambie cambiar modifica modifique modificar altera altere wijzig 更改 修改 改为",
    "update": "aktualisiere aktualisieren actualise actualisez mets actualiza actualice actualizar aggiorna aggiornare atualize bijwerken 更新",
    "replace": "ersetze ersetzen remplace remplacez remplacer reemplaza reemplace reemplazar sostituisci vervang 替换",
    "open": "öffne öffnen aufrufen ouvre ouvrez ouvrir abre abra abrir apri aprire 打开",
    "visit": "besuche besuchen rufe rufen visite visitez visiter visita visitar bezoek 访问 浏览",
    "click": "klicke klicken cliquez cliquer clic haga 点击",
    "run": "ausführen führe führen starte starten exécute exécutez exécuter lancez lancer ejecuta ejecute ejecutar esegui eseguire executar uitvoeren 运行 执行",
    "install": "installiere installieren installez installer instala instale instalar installa 安装",
    "download": "herunterladen télécharge téléchargez télécharger descarga descargue descargar scarica baixe 下载",
    "book": "buche buchen réserve réservez réserver reserva reserve reservar prenota prenotare boek 预订 预约",
    "reserve": "reserviere reservieren",
    "move": "verschiebe verschieben verlege déplace déplacez déplacer mueve mueva mover sposta 移动",
    "assign": "zuweisen weise attribue attribuez asigna asigne assegna 分配",
    "approve": "genehmige genehmigen approuve approuvez aprueba apruebe approva 批准",
    "confirm": "bestätige bestätigen confirme confirmez confirmer confirma confirmar conferma bevestig 确认",
    "copy": "kopiere kopieren copie copiez copier copia copie copiar 复制",
    "export": "exportiere exportieren exporte exportez exporta exporte 导出",
    "save": "speichere speichern enregistre enregistrez guarda guarde guardar salva 保存",
    "enter": "eintragen trage inscris inscrivez inscrire inscriba inscribir 填写",
    "print": "drucke drucken imprime imprimez imprimir stampa 打印",
    "issue": "ausstellen",
    "please": "bitte veuillez merci favor prière prego alstublieft 请",
    "must": "müssen musst muss devez doit debe deben deve devono moet 必须 务必",
    "immediately": "sofort umgehend immédiatement inmediatamente subito imediatamente onmiddellijk 立即 马上",
    "email": "e-mail-adresse courriel correo correos 邮件 邮箱",
    "message": "nachricht zuschrift zuschriften courrier mensaje messaggio mensagem bericht 消息",
    "letters": "lettre lettres briefe cartas",
    "account": "konto bankverbindung compte cuenta conto conta rekening 账户 账号",
    "invoice": "rechnung facture factura fattura fatura factuur 发票",
    "payment": "zahlung überweisung paiement virement pago pagamento betaling 付款单",
    "file": "datei akte fichier archivo arquivo bestand 文件",
    "summarise": "fasse zusammenfassen résume résumez résumer resuma resumir riassumi 总结 概括",
    "read": "lies lesen lis lisez lire lea leer leggi 阅读 查看",
    "show": "zeige zeigen montre montrez muestra muestre mostra",
    "check": "prüfe prüfen vérifie vérifiez vérifier comprueba revisa controlla 检查",
    "do": "erledige erledigen mache machen fais faites faire haz haga hacer fai faccia faça 做 办理",
    "follow": "befolge befolgen folge suis suivez suivre sigue siga seguir segui 按照",
    "process": "bearbeite bearbeiten arbeite abarbeiten umsetzen setze traite traitez traiter procesa procese procesar tramita elabora processe verwerk 处理",
    "handle": "kümmere kümmern occupe occupez ocúpate gestiona gestisci",
    "tasks": "aufgaben aufgabe tâches tareas compiti tarefas taken 任务",
    "instructions": "anweisungen anweisung consignes instrucciones istruzioni instruções",
    "says": "steht sagt gebeten verlangt wünscht geht demande dit exige indica chiede 要求 说",
    "according": "laut gemäß selon según secondo",
    "accordingly": "entsprechend conséquence consecuencia",
    "described": "beschrieben décrit descrito descritto",
    "as": "wie comme como zoals",
    "release": "freigabe freizugeben libère libérez libera libere",
    "what": "worum que qué quello 什么",
}
ENGLISH: dict[str, str] = {foreign: english for english, forms in _MEANINGS.items() for foreign in forms.split()}
"""A word of another language: the English one."""

PRONOUNS = ("-toi", "-moi", "-vous", "-nous", "-le", "-la", "-les", "-lui", "-leur")
"""What French hangs on an imperative."""
NOUNS = frozenset(("access", "account", "email", "file", "invoice", "letters", "message", "payment"))
"""Of these, what no order is made of."""

_WORDS = sorted((word for word in ENGLISH if ord(word[0]) > 0x2E80), key=len, reverse=True)
_WITHOUT_BLANKS = re2.compile("(" + "|".join(_WORDS) + r")|([\x21-\x7e]+)|([。！？；，：、])")
_LETTERS = re2.compile(r"\pL+(?:-\pL+)*")
_FIRST_WITHOUT_BLANKS = "\u3000"
_STOPS = {"。": ".", "！": "!", "？": "?", "；": ";", "，": ",", "：": ":", "、": ","}


def spaced(text: str) -> str:
    """Chinese with blanks around the words known here, around what is Latin, and behind its stops; other text as it is."""
    if text.isascii() or max(text) < _FIRST_WITHOUT_BLANKS:
        return text
    return str(_WITHOUT_BLANKS.sub(lambda m: f"{_STOPS[m.group(3)]} " if m.group(3) else f" {m.group()} ", text.encode("utf-8", "replace").decode()))


def in_english(text: str) -> str:
    """A text with each word known here replaced by the English one: no translation, but its orders can be found."""
    clean = spaced(text).encode("utf-8", "replace").decode()
    return str(_LETTERS.sub(lambda m: ENGLISH.get(m.group().lower(), m.group()), clean)) if any(w.lower() in ENGLISH for w in _LETTERS.findall(clean)) else text
