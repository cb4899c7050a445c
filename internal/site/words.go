package site

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
)

// words are the texts of the pages in one language.
type words map[string]string

// fallback is the language of whoever has none of ours.
const fallback = "en"

// catalogue holds every text of every page. A test sees to it that each language
// has the same keys, and that each text that takes a value takes it in each.
var catalogue = map[string]words{
	"en": {
		"broken.title":      "This link does not work",
		"broken.text":       "It may have been cut off on its way. Please open it from the message itself.",
		"changed.text":      "It was changed or cut off on its way. Please open it from the message itself.",
		"later.title":       "That did not work",
		"later.text":        "Something is out of order on our side, and nothing was changed. Please try again in a minute.",
		"unread.text":       "The form could not be read, and nothing was changed. Please try again.",
		"trap.title":        "Nothing to see here",
		"trap.text":         "This link is not meant for people. Everything is fine; you can close this page.",
		"out.title":         "Unsubscribe?",
		"out.text":          "One click, and we stop writing to you about this.",
		"out.button":        "Unsubscribe",
		"out.rather":        "Rather choose what we send you?",
		"out.prefs":         "Your preferences",
		"gone.title":        "You are unsubscribed",
		"gone.text":         "It works at once: nothing more of this kind will leave here.",
		"gone.mind":         "You can change your mind at any time:",
		"gone.prefs":        "your preferences",
		"prefs.title":       "Your preferences",
		"prefs.legend":      "What may we send you by %s?",
		"prefs.save":        "Save",
		"prefs.all":         "Unsubscribe from all of these",
		"prefs.service":     "Messages about an order that you placed still reach you.",
		"prefs.saved":       "Saved. It works at once.",
		"prefs.pace":        "How often?",
		"prefs.fewer":       "Fewer messages: at most one in seven days",
		"prefs.pause":       "Pause everything for 30 days",
		"prefs.paused":      "Paused until %s",
		"signup.title":      "Hear from us",
		"signup.text":       "Leave your address, and we send you a mail to confirm it. Only then do we write to you.",
		"signup.email":      "Your e-mail address",
		"signup.legend":     "What would you like to hear about?",
		"signup.button":     "Sign up",
		"signup.trap":       "Leave this field empty",
		"signup.way":        "You can end it at any time, with one click in every mail.",
		"signup.address":    "Please check the address: it should look like name@example.com.",
		"signup.nothing":    "Please tick at least one box.",
		"signup.sent":       "Look into your mail",
		"signup.sent.text":  "If the address can receive our mails, a message is on its way to it. Open the link in it to confirm. If nothing comes, look into the spam folder.",
		"signup.often":      "Too many sign-ups came from your network. Please try again in an hour.",
		"confirm.title":     "Confirm your sign-up",
		"confirm.text":      "One click, and you hear from us about:",
		"confirm.button":    "Yes, I want this",
		"confirm.done":      "Thank you",
		"confirm.done.text": "You are signed up. You can change what you hear at any time.",
		"confirm.old":       "This link is too old",
		"confirm.old.text":  "A confirmation works for seven days. Please sign up once more.",
		"view.note":         "This is how the message would be worded today; your own copy may differ. Links to your preferences work in your own copy only.",
		"own.title":         "Please use your own copy",
		"own.text":          "This page was made from a message shown in the browser, which may have been forwarded. The links in the mail itself lead to your own choices.",
		"channel.email":     "e-mail",
		"channel.sms":       "text message",
		"channel.push":      "app notification",
		"channel.webpush":   "browser notification",
		"channel.whatsapp":  "WhatsApp",
	},
	"de": {
		"broken.title":      "Dieser Link funktioniert nicht",
		"broken.text":       "Vielleicht ist er unterwegs abgeschnitten worden. Bitte öffnen Sie ihn aus der Nachricht selbst.",
		"changed.text":      "Er ist unterwegs verändert oder abgeschnitten worden. Bitte öffnen Sie ihn aus der Nachricht selbst.",
		"later.title":       "Das hat nicht geklappt",
		"later.text":        "Bei uns ist etwas nicht in Ordnung; es wurde nichts geändert. Bitte versuchen Sie es in einer Minute noch einmal.",
		"unread.text":       "Das Formular war nicht zu lesen; es wurde nichts geändert. Bitte versuchen Sie es noch einmal.",
		"trap.title":        "Hier gibt es nichts zu sehen",
		"trap.text":         "Dieser Link ist nicht für Menschen gedacht. Alles ist in Ordnung; Sie können die Seite schließen.",
		"out.title":         "Abmelden?",
		"out.text":          "Ein Klick, und wir schreiben Ihnen dazu nicht mehr.",
		"out.button":        "Abmelden",
		"out.rather":        "Lieber auswählen, was wir Ihnen schicken?",
		"out.prefs":         "Ihre Einstellungen",
		"gone.title":        "Sie sind abgemeldet",
		"gone.text":         "Das gilt sofort: Dazu verlässt uns nichts mehr.",
		"gone.mind":         "Sie können es sich jederzeit anders überlegen:",
		"gone.prefs":        "Ihre Einstellungen",
		"prefs.title":       "Ihre Einstellungen",
		"prefs.legend":      "Was dürfen wir Ihnen per %s schicken?",
		"prefs.save":        "Speichern",
		"prefs.all":         "Von allem hier abmelden",
		"prefs.service":     "Nachrichten zu Ihren Bestellungen erreichen Sie weiterhin.",
		"prefs.saved":       "Gespeichert. Es gilt sofort.",
		"prefs.pace":        "Wie oft?",
		"prefs.fewer":       "Weniger Nachrichten: höchstens eine in sieben Tagen",
		"prefs.pause":       "Alles für 30 Tage anhalten",
		"prefs.paused":      "Angehalten bis %s",
		"signup.title":      "Von uns hören",
		"signup.text":       "Hinterlassen Sie Ihre Adresse, und wir schicken Ihnen eine Mail zur Bestätigung. Erst danach schreiben wir Ihnen.",
		"signup.email":      "Ihre E-Mail-Adresse",
		"signup.legend":     "Wovon möchten Sie hören?",
		"signup.button":     "Anmelden",
		"signup.trap":       "Dieses Feld bitte leer lassen",
		"signup.way":        "Sie können es jederzeit beenden, mit einem Klick in jeder Mail.",
		"signup.address":    "Bitte prüfen Sie die Adresse: Sie sollte aussehen wie name@example.com.",
		"signup.nothing":    "Bitte wählen Sie mindestens eines aus.",
		"signup.sent":       "Schauen Sie in Ihr Postfach",
		"signup.sent.text":  "Wenn die Adresse unsere Mails empfangen kann, ist eine Nachricht dorthin unterwegs. Öffnen Sie zur Bestätigung den Link darin. Kommt nichts an, sehen Sie bitte im Spam-Ordner nach.",
		"signup.often":      "Aus Ihrem Netz kamen zu viele Anmeldungen. Bitte versuchen Sie es in einer Stunde noch einmal.",
		"confirm.title":     "Bestätigen Sie Ihre Anmeldung",
		"confirm.text":      "Ein Klick, und Sie hören von uns zu:",
		"confirm.button":    "Ja, das möchte ich",
		"confirm.done":      "Vielen Dank",
		"confirm.done.text": "Sie sind angemeldet. Was Sie hören möchten, können Sie jederzeit ändern.",
		"confirm.old":       "Dieser Link ist zu alt",
		"confirm.old.text":  "Eine Bestätigung gilt sieben Tage. Bitte melden Sie sich noch einmal an.",
		"view.note":         "So wäre die Nachricht heute formuliert; Ihre eigene kann anders lauten. Links zu Ihren Einstellungen funktionieren nur in Ihrer eigenen Mail.",
		"own.title":         "Bitte nehmen Sie Ihre eigene Mail",
		"own.text":          "Diese Seite gehört zu einer Nachricht, die im Browser gezeigt und vielleicht weitergegeben wurde. Die Links in der Mail selbst führen zu Ihren eigenen Einstellungen.",
		"channel.email":     "E-Mail",
		"channel.sms":       "SMS",
		"channel.push":      "App-Mitteilung",
		"channel.webpush":   "Browser-Mitteilung",
		"channel.whatsapp":  "WhatsApp",
	},
}

// languageOf returns the language of ours that a locale such as "de-AT" names;
// empty if it names none.
func languageOf(locale string) string {
	lang, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), "-")
	if _, ok := catalogue[lang]; ok {
		return lang
	}
	return ""
}

// maxAccept bounds what is read of Accept-Language: browsers send a hundred bytes.
const maxAccept = 1000

// accepted returns the language of ours that a browser likes best; empty if none.
func accepted(r *http.Request) string {
	header := r.Header.Get("Accept-Language")
	best, most := "", 0.0
	for _, part := range strings.Split(header[:min(len(header), maxAccept)], ",") {
		tag, q, weighed := strings.Cut(strings.TrimSpace(part), ";")
		weight := 1.0
		if weighed {
			var err error
			if weight, err = strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(q), "q="), 64); err != nil {
				continue
			}
		}
		if lang := languageOf(tag); lang != "" && weight > most {
			best, most = lang, weight
		}
	}
	return best
}

// months are the names of the months, by language.
var months = map[string][]string{
	"en": {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	"de": {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
}

// dayIn returns a day as people of the language write it.
func dayIn(lang string, at event.Time) string {
	y, m, d := at.In(time.UTC).Date()
	name := months[lang][m-1]
	if lang == "de" {
		return strconv.Itoa(d) + ". " + name + " " + strconv.Itoa(y)
	}
	return strconv.Itoa(d) + " " + name + " " + strconv.Itoa(y)
}
