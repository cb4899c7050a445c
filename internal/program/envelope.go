package program

import (
	"maps"
	"strings"

	"rapport/internal/channels"
	"rapport/internal/core/profile"
	"rapport/internal/site"
)

// SenderOf returns who speaks in a delivery: for the brand of its purpose, its
// stream, and the customer's locale, the shop's if that is not known.
func (p *Program) SenderOf(d *profile.Delivery, who *profile.Profile) (Sender, bool) {
	brand, _ := p.Shop.BrandOf(d.Purpose)
	locale := p.Shop.Locale
	if who != nil && who.Locale != "" {
		locale = who.Locale
	}
	return p.Shop.SenderFor(d.Channel, brand.Name, d.Class, locale)
}

// speakable returns why nobody can speak for a purpose on a channel; empty if
// somebody can, or if the channel has no sender at all.
func (s *Shop) speakable(channel, purpose string) string {
	brand, branded := s.BrandOf(purpose)
	if !branded {
		return ""
	}
	for i := range s.Speakers {
		if v := &s.Speakers[i]; v.Channel == channel && v.Brand == brand.Name && v.Stream == "" && v.Locale == "" {
			return ""
		}
	}
	return "the purpose " + purpose + " is the brand " + brand.Name + "'s, which has no sender of its own for " + channel
}

// shopFor is the shop as a message speaks of it: the brand's, where one speaks.
func (p *Program) shopFor(purpose string, sender *Sender) map[string]any {
	name, website := p.Shop.Name, p.Shop.Website
	if b, ok := p.Shop.BrandOf(purpose); ok {
		name = b.Label
		if b.Website != "" {
			website = b.Website
		}
	}
	return map[string]any{"name": name, "website": website, "postal": sender.Postal, "currency": string(p.Currency)}
}

// brandFor is how a message looks: as the brand, where one speaks, with the
// sender's own logo if it has one.
func (p *Program) brandFor(purpose string, sender *Sender) map[string]any {
	b, branded := p.Shop.BrandOf(purpose)
	if !branded && sender.Logo == "" {
		return p.brandVars
	}
	look := p.Shop.Kit
	if branded {
		look.Colors, look.Fonts, look.Logo = over(look.Colors, b.Kit.Colors), over(look.Fonts, b.Kit.Fonts), b.Kit.Logo
	}
	if sender.Logo != "" {
		look.Logo = Logo{URL: sender.Logo, Alt: sender.FromName}
	}
	return look.vars()
}

// over returns the words of a style with some of them replaced.
func over(under, by map[string]string) map[string]string {
	m := maps.Clone(under)
	if m == nil {
		m = map[string]string{}
	}
	maps.Copy(m, by)
	return m
}

// envelope sets what mail servers and mailbox providers read: the stable id, the
// ways out of RFC 8058 and RFC 2369, and the delivery's own addresses for bounces
// and complaints (RFC 9477), each signed, so that a forged one is known.
func (p *Program) envelope(m *channels.Message, d *profile.Delivery, sender *Sender, out string, links Links) {
	m.MessageID = "<" + m.Delivery + "@" + sender.fromDomain() + ">"
	add := func(name, value string) { m.Headers = append(m.Headers, channels.Header{Name: name, Value: value}) }
	leave, complain := "", ""
	if at := sender.BounceDomain; at != "" {
		if own := links.Address(site.BounceReturn, m.Delivery, at); own != "" {
			m.Bounce = own
		}
		leave, complain = links.Address(site.LeaveReturn, m.Delivery, at), links.Address(site.FeedbackReturn, m.Delivery, at)
	}
	if !m.Service {
		value := "<" + out + ">"
		if leave != "" {
			value += ", <mailto:" + leave + "?subject=unsubscribe>"
		}
		add("List-Unsubscribe", value)
		add("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
		add("List-ID", "<"+d.Purpose+"."+sender.Domain+">")
	}
	if complain != "" {
		add("CFBL-Address", complain+"; report=arf")
	}
	// Google's postmaster tools group by the first three; the last names the sender.
	add("Feedback-ID", strings.Join([]string{feedback(d.Journey), feedback(d.Purpose), feedback(d.Class.String()), feedback(sender.Domain)}, ":"))
}

// feedback returns a name as it may stand in Feedback-ID, whose fields are parted
// by colons.
func feedback(s string) string {
	s = strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f && r != ':' {
			return r
		}
		return '-'
	}, s)
	if len(s) > maxName {
		s = s[:maxName]
	}
	return s
}
