package bounce

import (
	"regexp"
	"strings"

	"rapport/internal/channels"
)

// The letters that servers write to people. A letter is one if a server signs it
// and its subject or words are those that servers use; then each address in it
// that is followed by words of failure is a recipient.
var (
	daemon  = regexp.MustCompile(`(?i)mailer-daemon|mail delivery|postmaster|mail system|delivery (?:subsystem|agent|service)|mail administrator|mailmaster|mail router|mailer_daemon|mdaemon|mail-daemon|notification|no-?reply.*(?:amazonses|google)|exchange|<>|system administrator`)
	subject = regexp.MustCompile(`(?i)^(?:re: ?)?(?:\[?warning\]?:? ?)?(?:` + strings.Join([]string{
		`failure notice`, `failure (?:delivery|notification)`, `undeliver`, `unzustellbar`, `mail delivery`, `delivery (?:status|failure|notification|problem|has failed|report|failed|error|final)`, `returned mail`, `returned email`, `mail could not`, `message (?:delivery|you sent|undeliver|could not)`,
		`mail failure`, `mail system error`, `non.?delivery`, `nondeliver`, `delivery_failure`, `email.{0,20}(?:undeliverable|not delivered)`, `can'?t (?:send|deliver)`, `could not send message`, `error (?:sending|mail info|message)`,
		`could not (?:deliver|be)`, `your (?:e-?mail|message).{0,30}(?:not|could|fail)`, `unable to deliver`, `permanent delivery failure`, `mail not delivered`, `warning: (?:could not|message)`, `there was an error sending`, `dsn:`, `mail error`, `user unknown`, `message status`,
		`\[?boun(?:ce|d)`, `system (?:error|message)`, `automatically rejected`, `(?:e-?)?mail delivery`, `failed mail`, `rejected:`, `message delayed`, `an error has`, `nicht zustell`, `host unknown`, `transcript`, `postfix smtp server: errors`, `delayed mail`, `mail.*denied`, `注意`, `メール`,
	}, "|") + `)`)
	opening = regexp.MustCompile(`(?i)` + strings.Join([]string{
		`i'm afraid i wasn't able to deliver`, `this (?:message was created automatically by mail delivery|is the mail system at|report relates to)`, `could not be delivered to`, `had (?:permanent|transient) fatal errors`, `delivery (?:to the following|has failed|failed|of the following)`,
		`transcript of session follows`, `did not reach the following`, `unable to (?:deliver|send|process)`, `was not delivered`, `your (?:message|e-?mail|mail) (?:did not|was not|could not|couldn't|cannot|has not|to)`, `failed (?:recipients?|addresses|to deliver|permanently)`,
		`following (?:recipients?|addresses|errors?)`, `the (?:error|reason).{0,40}(?:was|is|follows|returned|below)`, `wasn't delivered`, `error(?: message)? (?:below|follows|was|from|is)`, `user unknown`, `undeliverable`, `sorry`, `cannot be delivered`, `problems? delivering`, `could not deliver`, `is unknown`,
		`unzustellbar`, `konnte nicht`, `message not delivered`, `rejected`, `failed`, `hi\. this is`, `not known`, `quota`, `invalid`,
	}, "|"))
	mention = regexp.MustCompile(`[A-Za-z0-9!#$%&'*+/=?^_{|}~.\-]{1,64}@[A-Za-z0-9.\-]{1,255}`)
)

// letter reads a letter of words alone.
func (m *mail) letter() []Recipient {
	from := m.head.Get("From")
	path := strings.TrimSpace(m.head.Get("Return-Path"))
	if !daemon.MatchString(from) && path != "<>" && m.head.Get("X-Failed-Recipients") == "" {
		return nil
	}
	known := m.head.Get("X-Failed-Recipients") != ""
	if !known && !subject.MatchString(strings.TrimSpace(m.subject)) || !opening.MatchString(m.text) && !known && !daemon.MatchString(from) {
		return nil
	}
	if m.away() {
		return nil
	}
	text := m.text
	words := strings.ToLower(text)
	told := channels.Bounced
	if strings.Contains(words, "not yet been delivered") || strings.Contains(words, "will be retried") || strings.Contains(words, "delivery will continue") {
		told = channels.Delayed
	}
	var list []Recipient
	seen := map[string]bool{}
	for _, a := range m.addressees(text) {
		key := strings.ToLower(a.address)
		if seen[key] || len(list) == maxRecipients {
			continue
		}
		seen[key] = true
		r := Recipient{Address: a.address, Told: told, Failure: failure(a.words, "")}
		m.temper(&r)
		list = append(list, r)
	}
	if len(list) == 0 {
		list = append(list, Recipient{Told: told, Failure: failure(text[:min(len(text), maxWords)], "")})
	}
	return list
}

// away reports whether a mail with a server's look is somebody's holiday.
func (m *mail) away() bool {
	return m.automatic() && m.head.Get("X-Failed-Recipients") == "" && !subject.MatchString(strings.TrimSpace(m.subject))
}

type addressee struct{ address, words string }

// addressees returns the addresses of a letter, each with the words up to the
// next one. Those of X-Failed-Recipients come first; then those that begin a line
// or stand alone.
func (m *mail) addressees(text string) (list []addressee) {
	for _, a := range strings.Split(m.head.Get("X-Failed-Recipients"), ",") {
		if a = bare(a); a != "" && len(list) < maxRecipients {
			words := text
			if i := strings.Index(text, a); i >= 0 {
				words = text[i:]
			}
			list = append(list, addressee{a, words[:min(len(words), maxWords)]})
		}
	}
	if len(list) > 0 {
		return list
	}
	at := begins.FindAllStringSubmatchIndex(text, maxRecipients)
	for n, i := range at {
		end := len(text)
		if n+1 < len(at) {
			end = at[n+1][0]
		}
		words := text[i[3]:min(end, i[3]+maxWords)]
		list = append(list, addressee{bare(text[i[2]:i[3]]), words})
	}
	// An address without words speaks with those of the next that has some.
	for n := len(list) - 2; n >= 0; n-- {
		if len(strings.TrimSpace(list[n].words)) < 12 {
			list[n].words += list[n+1].words
		}
	}
	if len(list) > 0 {
		// What is said before the first address, or of all of them, is said of each that
		// has no words of its own.
		for n := range list {
			if f := failure(list[n].words, ""); f.Code == 0 && f.Status == "" && f.Cause() == channels.Soft {
				list[n].words = text[:min(len(text), maxWords)]
			}
		}
		return list
	}
	if a := mention.FindString(text); a != "" {
		list = append(list, addressee{bare(a), text[:min(len(text), maxWords)]})
	}
	return list
}

// begins finds addresses that begin a line, as letters list them.
var begins = regexp.MustCompile(`(?m)^[ \t>]*(?:(?:to|recipient|user|address|failed recipient|original-recipient|the following address)[: ]+)?[<"']?([A-Za-z0-9!#$%&'*+/=?^_{|}~.\-]{1,64}@[A-Za-z0-9.\-]{1,255})[>"']?[:;,]?`)
