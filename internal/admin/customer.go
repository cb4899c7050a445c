package admin

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rapport/internal/admin/page"
	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
	"rapport/internal/program"
	"rapport/internal/store"
)

// Limits of one customer's page. What is beyond them stays in the history.
const (
	maxTraits  = 80
	maxHeld    = 40  // identifiers
	maxBought  = 15  // products
	maxStrands = 50  // profiles that joined, whose messages are listed too
	maxValue   = 200 // bytes of one value
	maxWeekly  = 104 // weeks of the small chart
	minWeekly  = 26

	shownMessages = 6 // the rest is folded away, so that the timeline is not far below
)

// customer shows one customer.
func (s *site) customer(r *http.Request) (page.View, error) {
	ctx := r.Context()
	pr, err := s.inForce(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.found(r)
	if err != nil {
		return nil, err
	}
	now, c := s.o.Now(), s.clock(pr)
	v := &page.Customer{
		Frame: s.frame(pr, nameOf(p), "customers"), Path: "/customers/" + p.ID.String(), Name: nameOf(p), Invented: invented(p), Subtitle: knownBy(p),
	}
	if p.Hot() {
		v.Notes = append(v.Notes, "So many events this month that it is no person: it is counted, walks no journeys and gets no messages.")
	}
	if p.Program != pr.Core.Hash {
		v.Notes = append(v.Notes, "Last looked at under older definitions. That is caught up with as soon as something is heard.")
	}
	orders, spent := worth(p, pr.Currency)
	v.Facts = []page.Fact{
		{Label: "Orders", Value: page.Count(orders)},
		{Label: "Spent, less returns", Value: strings.Join(spent, " + ")},
		{Label: "First heard", Value: or(c.Date(p.First), "–"), Note: c.When(p.First).Ago},
		{Label: "Last heard", Value: or(c.Date(p.Last), "–"), Note: c.When(p.Last).Ago},
	}
	v.Facts = append(v.Facts, scores(pr, p, now)...)
	v.Spending = spending(p, now, pr)
	v.Identifiers, v.Traits = who(p, c), traits(p)
	for i := range p.Consents {
		v.Consents = append(v.Consents, consent(&p.Consents[i], pr, c, now))
	}
	v.Segments = memberships(p, pr, c, now)
	for i := range p.Journeys {
		v.Journeys = append(v.Journeys, instance(&p.Journeys[i], pr, c))
	}
	v.Bought, v.MoreBought = boughtBy(p, c)
	if s.o.MailsPath != "" {
		if a := p.Address("email"); a != "" {
			v.Elsewhere = s.o.MailsPath + "/?to=" + url.QueryEscape(clip(a, maxValue))
		}
	}
	from := r.FormValue("before")
	v.Newer = from != ""
	if !v.Newer {
		if v.Messages, err = s.messagesOf(ctx, pr, p, c); err != nil {
			return nil, err
		}
		if n := len(v.Messages) - shownMessages; n > 1 {
			v.Messages, v.Earlier = v.Messages[:shownMessages], v.Messages[shownMessages:]
			v.MoreMessages = page.Count(int64(n)) + " earlier messages"
			if len(v.Earlier)+shownMessages == perPage {
				v.MoreMessages = "The " + page.Count(int64(n)) + " messages before"
			}
		}
	}
	v.Days, v.Older, err = s.timeline(ctx, pr, p, c, from)
	return v, err
}

// spending draws what a customer spent week by week, up to now.
func spending(p *profile.Profile, now event.Time, pr *program.Program) page.Spark {
	if len(p.Orders) == 0 {
		return page.Spark{}
	}
	last := weekOf(now)
	first := max(min(weekOf(p.Orders[0].At), last-minWeekly+1), last-maxWeekly+1)
	values := make([]float64, last-first+1)
	most := 0.0
	for i := range p.Orders {
		o := &p.Orders[i]
		// Sums of two currencies are not added; the figures above have them all.
		if n := weekOf(o.At) - first; n >= 0 && n < int64(len(values)) && (o.Currency == "" || o.Currency == pr.Currency) {
			values[n] += o.Net.Float()
			most = max(most, values[n])
		}
	}
	titles := make([]string, len(values))
	for i, v := range values {
		titles[i] = fmt.Sprintf("Week of %s: %.2f %s", weekStart(first+int64(i)).Time().Format("2 January 2006"), v, pr.Currency)
	}
	spark := page.SparkOf(values, titles)
	clock := page.Clock{Now: now}
	spark.From, spark.To = clock.Date(weekStart(first)), clock.Date(now)
	spark.Title = fmt.Sprintf("Spent week by week from %s to %s, at most %.2f %s in one week.", spark.From, spark.To, most, pr.Currency)
	return spark
}

var kindLabels = map[identity.Kind]string{identity.User: "Customer number", identity.Loyalty: "Loyalty card", identity.Email: "E-mail", identity.Phone: "Phone", identity.Anonymous: "Device"}

// who lists what identifies a customer.
func who(p *profile.Profile, c page.Clock) []page.Fact {
	var list []page.Fact
	for i := range p.Held {
		h := &p.Held[i]
		if len(list) == maxHeld {
			list = append(list, page.Fact{Label: "And", Value: page.Count(int64(len(p.Held)-i)) + " more"})
			break
		}
		f := page.Fact{Label: or(kindLabels[h.Identifier.Kind], string(h.Identifier.Kind)), Value: clip(h.Identifier.Value, maxValue)}
		switch h.State {
		case profile.Asked:
			f.Note = "seen, and its owner is being asked for"
		case profile.Refused:
			f.Note = "seen, and belongs to somebody else"
		}
		if health := p.HealthOf("email", h.Identifier.Value); h.Identifier.Kind == identity.Email && health.State != profile.Healthy {
			f.Note = strings.TrimSpace(map[profile.AddressState]string{profile.Bounced: "bounced", profile.Complained: "called our mail spam"}[health.State] + " on " + c.Date(health.At) + ": " + clip(health.Why, maxValue))
		}
		list = append(list, f)
	}
	if p.Zone != "" {
		list = append(list, page.Fact{Label: "Time zone", Value: p.Zone})
	}
	if p.Locale != "" {
		list = append(list, page.Fact{Label: "Language", Value: p.Locale})
	}
	if n := len(p.Strands); n > 0 {
		list = append(list, page.Fact{Label: "Made of", Value: page.Plural(int64(n+1), "profile", "profiles"), Note: "recognised as one person"})
	}
	return append(list, page.Fact{Label: "Profile id", Value: p.ID.String()}, page.Fact{Label: "Heard", Value: page.Plural(p.Count, "event", "events")})
}

// traits lists what a customer's sources said about them.
func traits(p *profile.Profile) []page.Fact {
	var list []page.Fact
	for i := range p.Traits {
		t := &p.Traits[i]
		if t.Value.Kind == event.Null || t.Name == "invented" || shownAbove(p, t) {
			continue
		}
		if len(list) == maxTraits {
			list = append(list, page.Fact{Label: "And", Value: page.Count(int64(len(p.Traits)-i)) + " more"})
			break
		}
		list = append(list, page.Fact{Label: clip(strings.ReplaceAll(t.Name, "_", " "), maxValue), Value: clip(t.Value.String(), maxValue)})
	}
	return list
}

// shownAbove reports whether a trait repeats what identifies the customer.
func shownAbove(p *profile.Profile, t *profile.Trait) bool {
	switch t.Name {
	case "email", "phone":
		state, seen := p.Holds(identity.Identifier{Kind: identity.Kind(t.Name), Value: strings.ToLower(t.Value.String())})
		return seen && state == profile.Owned
	case "timezone":
		return t.Value.String() == p.Zone
	case "locale":
		return t.Value.String() == p.Locale
	}
	return false
}

// purposeLabel returns what customers are asked to agree to, in the shop's words.
func purposeLabel(pr *program.Program, name string) string {
	if pr != nil {
		for _, p := range pr.Purposes {
			if p.Name == name {
				return p.Label
			}
		}
	}
	return name
}

// purposeBy returns a purpose with its channel, unless it is about that channel
// by its name, as "track.email" is.
func purposeBy(pr *program.Program, purpose, channel string) string {
	label := purposeLabel(pr, purpose)
	if strings.HasSuffix(purpose, "."+channel) {
		return label
	}
	return label + " by " + channelWord(channel)
}

func consent(k *profile.Consent, pr *program.Program, c page.Clock, now event.Time) page.Consent {
	v := page.Consent{
		What: page.Title(purposeBy(pr, k.Purpose, k.Channel)), State: page.Tag{Text: "refused", Tone: page.Warm},
		At: c.When(k.At), Evidence: page.Title(clip(k.Evidence, maxValue)), Proof: clip(string(k.Proof), maxValue),
	}
	switch {
	case k.Granted && k.Expires != 0 && k.Expires <= now:
		v.State = page.Tag{Text: "ended " + c.Date(k.Expires), Tone: page.Warm}
	case k.Granted:
		v.State = page.Tag{Text: "agreed", Tone: page.Good}
	}
	return v
}

// memberships lists the segments that a customer is in and why, in the order of
// their definitions.
func memberships(p *profile.Profile, pr *program.Program, c page.Clock, now event.Time) []page.Membership {
	var list []page.Membership
	for i := range pr.Segments {
		g := &pr.Segments[i]
		m := p.Member(condition.SegmentKey(g.Name))
		if !m.In {
			continue
		}
		v := page.Membership{Link: page.Link{Text: g.Label, Href: "/segments/" + url.PathEscape(g.Name)}, Since: c.When(m.Since)}
		if m.Until != event.Never {
			v.Until = "looked at again " + page.Ago(now.Sub(m.Until))
		}
		verdict, known := pr.Core.Segments.Explain(p, g.Name, now)
		if !known || !verdict.True {
			v.Why = "By what was known when they were last looked at."
		} else {
			v.Why = labelled(pr, because(verdict.Because, now))
		}
		list = append(list, v)
	}
	return list
}

// because tells the reasons of an answer as sentences about a customer.
func because(reasons []condition.Reason, now event.Time) string {
	var list []string
	for _, r := range reasons {
		list = append(list, predicate(r.Kind, r.Sentence(now)))
	}
	if list == nil {
		return "It holds for everybody."
	}
	return strings.Join(list, " ")
}

// predicate makes a sentence of a predicate of the kind of reason that it is.
func predicate(kind, s string) string {
	switch {
	case strings.HasPrefix(s, "it is "), strings.HasPrefix(s, "for "):
		return page.Title(s) + "."
	case kind == "trait", kind == "context", kind == "property":
		return "Their " + s + "."
	case kind == "time":
		return "It is " + s + "."
	case strings.HasPrefix(s, "is "):
		return "They are " + s[len("is "):] + "."
	case strings.HasPrefix(s, "has "):
		return "They have " + s[len("has "):] + "."
	}
	return "They " + s + "."
}

func instance(in *profile.Instance, pr *program.Program, c page.Clock) page.Instance {
	v := page.Instance{Link: journeyLink(pr, in.Journey), Step: in.Step, Entered: c.When(in.Entered)}
	if d := pr.Core.Journeys.Version(in.Journey, in.Version); d != nil {
		v.Step = stepTitle(d, in.Step)
	}
	switch {
	case in.Wake != event.Never:
		at := c.When(in.Wake)
		v.Wake = "Goes on " + at.Ago + ", on " + at.Text + "."
	default:
		v.Wake = "Goes on when something happens."
	}
	var notes []string
	if in.Held {
		notes = append(notes, "Held out: walks it and gets nothing, so that its effect can be measured.")
	}
	if in.Sent > 0 {
		notes = append(notes, page.Plural(int64(in.Sent), "message", "messages")+" let on their way.")
	}
	if in.Unsent > 0 {
		notes = append(notes, page.Plural(int64(in.Unsent), "message", "messages")+" not sent.")
	}
	if in.Key != "" {
		notes = append(notes, "About "+clip(in.Key, maxValue)+".")
	}
	v.Note = strings.Join(notes, " ")
	return v
}

func stepTitle(d *journey.Definition, name string) string {
	for _, s := range d.Steps() {
		if s.Name == name {
			return page.Title(s.Title) + "."
		}
	}
	return name
}

// boughtBy lists what a customer bought most often, with their own rhythm.
func boughtBy(p *profile.Profile, c page.Clock) (list []page.Bought, more string) {
	all := make([]*profile.Bought, 0, len(p.Bought))
	for i := range p.Bought {
		if p.Bought[i].Count > 0 { // what was returned was not bought
			all = append(all, &p.Bought[i])
		}
	}
	slices.SortFunc(all, func(a, b *profile.Bought) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(b.Last, a.Last), cmp.Compare(a.SKU, b.SKU))
	})
	if len(all) > maxBought {
		more = "And " + page.Count(int64(len(all)-maxBought)) + " more products."
		all = all[:maxBought]
	}
	for _, b := range all {
		v := page.Bought{Name: clip(or(b.Name, b.SKU), maxValue), SKU: clip(b.SKU, maxValue), Times: page.Count(int64(b.Count)) + "×", Last: c.When(b.Last)}
		if every := b.Rhythm(); every > 0 {
			v.Rhythm = "every " + page.Span(every)
			due := c.When(b.Last.Add(every))
			v.Due = "due again " + due.Ago
			if b.Last.Add(every) <= c.Now {
				v.Due = "was due " + due.Ago
			}
		}
		list = append(list, v)
	}
	return list, more
}

// messagesOf lists the newest messages to a customer, those from before a merge
// included.
func (s *site) messagesOf(ctx context.Context, pr *program.Program, p *profile.Profile, c page.Clock) ([]page.MessageRow, error) {
	ids := append([]identity.ID{p.ID}, p.Strands[:min(len(p.Strands), maxStrands)]...)
	var all []store.Delivery
	for _, id := range ids {
		list, err := s.o.Store.DeliveriesOf(ctx, id, perPage)
		if err != nil {
			return nil, fmt.Errorf("reading the messages of %s: %w", id, err)
		}
		all = append(all, list...)
	}
	if len(ids) > 1 {
		slices.SortStableFunc(all, func(a, b store.Delivery) int { return cmp.Compare(b.Planned, a.Planned) })
		all = all[:min(len(all), perPage)]
	}
	rows := make([]page.MessageRow, len(all))
	for i := range all {
		d := &all[i]
		rows[i] = page.MessageRow{
			Link:  page.Link{Text: journeyLink(pr, d.Journey).Text, Href: "/messages/" + d.ID.String()},
			State: stateTag(d.State), At: c.When(d.Planned), About: aboutMessage(pr, d), Why: s.why(d, p, 0),
		}
		if d.State == profile.Accepted && d.Reason != "" {
			// Why it was allowed says its own page; here it is what it was about.
			rows[i].Why = "“" + clip(d.Reason, 2*maxValue) + ".”"
		}
	}
	return rows, nil
}
