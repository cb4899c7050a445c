package channels

import (
	"slices"
	"strings"
)

// Cause says what a failure is about. It is the one judgement that answers during
// SMTP, bounces by mail and providers' webhooks share.
//
// Words are read beside the status, because servers use 5.1.1 for a full mailbox
// and 5.7.1 for a missing one. They are asked in the order in which being wrong
// would hurt: what may pass is Soft, what speaks of the sender is Policy, and an
// address is Hard only if its status says so and no words say otherwise, or if
// the words name a missing mailbox or host.
func (f Failure) Cause() Cause {
	if f.Status == "" && f.Code == 0 && f.Detail == "" {
		return f.Says
	}
	text := plain(f.Detail)
	switch {
	case strings.HasPrefix(f.Status, "4."), f.Status == "" && f.Code/100 == 4:
		if f.Auth() || contains(text, sender) {
			return Policy
		}
		return Soft
	case f.Status == "2.1.5", f.Code/100 == 2, contains(text, full):
		return Soft
	case slices.Contains(policyStatus, f.Status):
		return Policy
	case contains(text, nobody):
		return Hard
	case contains(text, again):
		return Soft
	case contains(text, sender):
		return Policy
	case f.Auth():
		if contains(text, missing) {
			return Soft // it says both: no reason to suppress anybody, nor to stop a domain
		}
		return Policy
	case strings.HasPrefix(f.Status, "5.2."): // a mailbox that exists, and is switched off or filtered, whatever the words
		return Soft
	case contains(text, missing), slices.Contains(hardStatus, f.Status), f.Code == 521, f.Code == 556:
		return Hard // 521 and 556: the host takes no mail (RFC 7504)
	case contains(text, passing):
		return Soft
	case contains(text, policy):
		return Policy
	case f.Status == "" || strings.HasSuffix(f.Status, ".0.0"):
		return f.Says
	}
	return Soft
}

// hardStatus are the statuses that say of an address that it is bad and will stay
// so: no mailbox, no system, syntax, moved away, null MX, no route to the host.
var hardStatus = []string{"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.4"}

// policyStatus are about the sender's address: 5.1.7 its syntax, 5.1.8 its host.
var policyStatus = []string{"5.1.7", "5.1.8"}

// plain returns the text in lower case, with runs of white space as one space and
// typographic apostrophes as plain ones, so that a folded line is read like any.
func plain(s string) string {
	return strings.NewReplacer("’", "'", "`", "'").Replace(strings.Join(strings.Fields(strings.ToLower(s)), " "))
}

// shortWord is the length up to which a word must stand alone: "rbl" is not in
// "terribly". A longer one may go on: "temporar" is in "temporarily".
const shortWord = 6

// contains reports whether one of the words begins a word of the text.
func contains(text string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		for at := 0; ; {
			i := strings.Index(text[at:], w)
			if i < 0 {
				return false
			}
			i += at
			end := i + len(w)
			if (i == 0 || !letter(text[i-1])) && (len(w) > shortWord || end == len(text) || !letter(text[end])) {
				return true
			}
			at = i + 1
		}
	})
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' }
