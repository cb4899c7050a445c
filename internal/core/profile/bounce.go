package profile

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
)

// When soft bounces become hard. A full mailbox is emptied after a holiday; one
// that is full for weeks is nobody's, and providers take those who go on writing
// to it for spammers.
const (
	SoftLimit = 5              // soft bounces in a row
	SoftEvery = 24 * time.Hour // of those within a day one counts
)

// foldBounce takes what was told of a message after it was accepted. Only the
// product's own word counts. It marks the address to which the message went: one
// that the customer gave later has not bounced.
func (p *Profile) foldBounce(e *event.Event, f *Folded) {
	channel := cmp.Or(e.Props.Text("channel"), "email")
	address := p.Address(channel)
	if e.Trust != event.Own || address == "" {
		return
	}
	if sent, err := strconv.ParseInt(e.Props.Text("sent"), 10, 64); err == nil && p.addressSince(channel) > event.Time(sent) {
		return
	}
	switch e.Props.Text("cause") {
	case "hard":
		p.Ails(Health{Channel: channel, Address: address, State: Bounced, At: e.At, Why: e.Props.Text("detail")})
		f.Reach = true
	case "soft":
		f.Reach = p.SoftBounce(channel, e.At, e.Props.Text("detail"))
	}
}

// SoftBounce counts a soft bounce of the channel's present address, and reports
// whether it was one too many. The profile must be the caller's own copy.
func (p *Profile) SoftBounce(channel string, at event.Time, why string) (over bool) {
	address := p.Address(channel)
	known := p.HealthOf(channel, address)
	if address == "" || known.State != Healthy || known.Soft > 0 && at.Sub(known.At) < SoftEvery {
		return false
	}
	h := Health{Channel: channel, Address: address, At: at, Why: why, Soft: known.Soft + 1}
	if h.Soft >= SoftLimit {
		h.State, over = Bounced, true
	}
	p.Ails(h)
	return over
}

// foldArrival forgets the soft bounces of an address that takes mail again.
func (p *Profile) foldArrival(e *event.Event) {
	channel := cmp.Or(e.Props.Text("channel"), "email")
	address := p.Address(channel)
	if e.Trust != event.Own || address == "" || e.Name != event.MessageDelivered && e.Props.Text("actor") != "human" {
		return
	}
	h := p.HealthOf(channel, address)
	if h.State != Healthy || h.Soft == 0 || e.At < h.At {
		return
	}
	p.Health = slices.DeleteFunc(slices.Clone(p.Health), func(o Health) bool { return o.Channel == channel && o.Address == address })
}

// addressSince returns when the customer gave the channel's present address; 0 if
// that is not known.
func (p *Profile) addressSince(channel string) event.Time {
	name := "email"
	if channel == "sms" || channel == "whatsapp" {
		name = "phone"
	}
	i, found := slices.BinarySearchFunc(p.Traits, name, func(t Trait, n string) int { return strings.Compare(t.Name, n) })
	if !found || p.Traits[i].Value.Kind == event.Null {
		return 0
	}
	return p.Traits[i].At
}
