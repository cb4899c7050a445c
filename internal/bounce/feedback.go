package bounce

import (
	"strings"

	"rapport/internal/channels"
)

// feedback reads a report of RFC 5965. It reports false if the mail is none.
func (m *mail) feedback() (Report, bool) {
	if m.head.Get("X-Apple-Unsubscribe") != "" {
		return Report{Kind: Complaint, Feedback: "opt-out"}, true // a mail program's button, not a person's letter
	}
	if m.arf == "" {
		return Report{}, false
	}
	r := Report{Kind: Complaint}
	for _, g := range fields(m.arf) {
		if kind := strings.ToLower(strings.TrimSpace(g.Get("Feedback-Type"))); kind != "" && r.Feedback == "" {
			r.Feedback = kind
		}
		for _, name := range []string{"Original-Mail-From", "Original-Rcpt-To", "Removal-Recipient"} {
			for _, v := range g.Values(name) {
				r.add(bare(v))
			}
		}
		if g.Get("Original-Rcpt-To") != "" && len(r.Failures) < maxRecipients {
			r.Failures = append(r.Failures, Recipient{Address: bare(g.Get("Original-Rcpt-To")), Told: channels.Complained})
		}
	}
	switch r.Feedback {
	case "auth-failure", "dmarc", "dkim":
		r.Kind = Auth
	case "not-spam":
		r.Kind = Nothing
	}
	m.about(&r)
	return r, true
}

func (r *Report) add(address string) {
	if address != "" && strings.Contains(address, "@") && len(r.Addresses) < maxAddresses {
		r.Addresses = append(r.Addresses, address)
	}
}

// about reads what the mail says of the mail that it is about.
func (m *mail) about(r *Report) {
	head, _, _ := strings.Cut(strings.TrimLeft(m.orig, "\n"), "\n\n")
	if groups := fields(head); len(groups) > 0 {
		g := groups[0]
		if id := strings.TrimSpace(g.Get("Message-Id")); id != "" {
			r.MessageID = id
		}
		for _, name := range []string{"Return-Path", "Cfbl-Address", "X-Envelope-From"} {
			v, _, _ := strings.Cut(g.Get(name), ";")
			r.add(bare(v))
		}
		for _, part := range strings.Split(g.Get("List-Unsubscribe"), ",") {
			if _, mailto, ok := strings.Cut(part, "mailto:"); ok {
				mailto, _, _ = strings.Cut(mailto, "?")
				r.add(bare(mailto))
			}
		}
	}
}
