package people

import (
	"strings"

	"rapport/internal/sources/table"
	"rapport/internal/store"
)

// stance is what a word says of a consent.
type stance uint8

const (
	unknownWord stance = iota
	granted
	withdrawn
	silent // neither: never asked, or not confirmed
)

var stances = map[string]stance{
	"granted": granted, "subscribed": granted, "subscribe": granted, "optedin": granted, "optin": granted, "in": granted, "yes": granted, "y": granted,
	"true": granted, "1": granted, "confirmed": granted, "active": granted, "single": granted, "double": granted, "verifieddouble": granted, "consented": granted,

	"denied": withdrawn, "withdrawn": withdrawn, "unsubscribed": withdrawn, "unsubscribe": withdrawn, "optedout": withdrawn, "optout": withdrawn, "out": withdrawn,
	"no": withdrawn, "n": withdrawn, "false": withdrawn, "0": withdrawn, "revoked": withdrawn, "hardbounced": withdrawn, "softbounced": withdrawn, "cleaned": withdrawn,
	"ispcomplained": withdrawn, "directcomplaint": withdrawn, "mailblocked": withdrawn, "suppressed": withdrawn, "globalsuppression": withdrawn, "sharedsuppression": withdrawn,
	"accountsuppression": withdrawn, "blocklisted": withdrawn, "blacklisted": withdrawn, "disabled": withdrawn, "spamcomplaint": withdrawn, "complained": withdrawn, "bounced": withdrawn,

	"": silent, "neversubscribed": silent, "pending": silent, "pendingoptin": silent, "unconfirmed": silent, "nonsubscribed": silent, "notsubscribed": silent,
	"transactional": silent, "unknown": silent, "deleted": silent, "archived": silent,
}

// stanceOf reads what a word says of a consent. listmonk calls everybody enabled who
// is not blocked, also those who have left every list: that is no consent.
func stanceOf(word string, v Vendor) stance {
	w := table.Plain(word)
	if v == Listmonk && w == "enabled" {
		return silent
	}
	return stances[w]
}

var reasons = map[string]string{
	"unsubscribed": store.Unsubscribed, "unsubscribe": store.Unsubscribed, "optout": store.Unsubscribed, "optedout": store.Unsubscribed, "userunsubscribed": store.Unsubscribed,
	"stop": store.Unsubscribed, "withdrawn": store.Unsubscribed, "denied": store.Unsubscribed,

	"bounce": store.Bounced, "bounced": store.Bounced, "hardbounce": store.Bounced, "hardbounced": store.Bounced, "softbounce": store.Bounced, "softbounced": store.Bounced,
	"invalidemail": store.Bounced, "invalid": store.Bounced, "cleaned": store.Bounced, "mailblocked": store.Bounced, "blocked": store.Bounced, "hard": store.Bounced,

	"complaint": store.Complained, "complained": store.Complained, "spam": store.Complained, "spamcomplaint": store.Complained, "spamreport": store.Complained,
	"ispcomplained": store.Complained, "directcomplaint": store.Complained, "abuse": store.Complained, "markedasspam": store.Complained,
}

// reachable are words in a column of reasons or states that say that somebody may
// be written to.
var reachable = map[string]bool{
	"subscribed": true, "granted": true, "enabled": true, "active": true, "confirmed": true, "neversubscribed": true, "pendingoptin": true, "pending": true,
	"none": true, "no": true, "false": true, "0": true, "": true, "unconfirmed": true, "nonsubscribed": true, "notsubscribed": true, "transactional": true,
}

// reasonOf reads why somebody must not be written to. A word that nobody here knows
// holds them back for good: to guess that it is mild would be to send.
func reasonOf(word string) string {
	w := table.Plain(word)
	if r := reasons[w]; r != "" {
		return r
	}
	// Texts with a word in them: "Hard bounced (5.1.1)", [{"reason": "SPAM_COMPLAINT"}].
	for _, part := range []struct{ text, reason string }{
		{"complain", store.Complained}, {"spam", store.Complained}, {"bounce", store.Bounced}, {"invalid", store.Bounced}, {"unsubscribe", store.Unsubscribed},
	} {
		if strings.Contains(w, part.text) {
			return part.reason
		}
	}
	return store.Manual
}
