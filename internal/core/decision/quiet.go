package decision

import (
	"slices"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Traits that say where a customer lives.
var (
	countryTraits = []string{"country", "country_code", "address.country", "address.country_code"}
	regionTraits  = []string{"region", "state", "address.region", "address.state"}
)

// countryOf returns the two letters of the customer's country; empty if none is
// known.
func countryOf(p *profile.Profile) string {
	for _, name := range countryTraits {
		if v, ok := p.Trait(name); ok {
			if code := CountryCode(v.String()); code != "" {
				return code
			}
		}
	}
	return ""
}

func regionOf(p *profile.Profile) string {
	for _, name := range regionTraits {
		if v, ok := p.Trait(name); ok {
			return strings.ToUpper(strings.TrimSpace(v.String()))
		}
	}
	return ""
}

// plausible returns the zones in which the customer may be at t. It is the
// customer's own zone, unless the country keeps other times: then all of them
// count. Without a zone it is every zone of the country, and without either the
// shop's. Zones agree if their clocks do at t, so old names of a zone agree
// with the new one.
func (g *Gate) plausible(p *profile.Profile, country string, t event.Time) []*time.Location {
	own, list := g.zones.Zone(p.Zone), g.zones.byCountry[country]
	switch {
	case own == nil && len(list) == 0:
		return []*time.Location{g.shop}
	case own == nil:
		return list
	case len(list) == 0 || slices.ContainsFunc(list, func(l *time.Location) bool { return offset(t, l) == offset(t, own) }):
		return []*time.Location{own}
	}
	return append([]*time.Location{own}, list...)
}

func offset(t event.Time, l *time.Location) int {
	_, seconds := t.In(l).Zone()
	return seconds
}

// hours are the quiet hours of one customer and channel.
type hours struct {
	gate    *Gate
	profile *profile.Profile
	country string
	rules   []*Quiet
}

// hoursOf returns the quiet hours that hold: the policy's and the law's.
func (g *Gate) hoursOf(p *profile.Profile, channel string, now event.Time) hours {
	h := hours{gate: g, profile: p, country: countryOf(p)}
	for i := range g.Policy.Quiet {
		if q := &g.Policy.Quiet[i]; q.holds(channel, h.country) {
			h.rules = append(h.rules, q)
		}
	}
	region := ""
	for i := range law {
		l := &law[i]
		if !l.quiet.holds(channel, h.country) || !l.inForce(now) {
			continue
		}
		if l.quiet.region != "" {
			if region == "" {
				region = regionOf(p)
			}
			if l.quiet.region != region {
				continue
			}
		}
		h.rules = append(h.rules, &l.quiet)
	}
	return h
}

func (q *Quiet) holds(channel, country string) bool {
	return (len(q.Channels) == 0 || slices.Contains(q.Channels, channel)) &&
		(len(q.Countries) == 0 || slices.Contains(q.Countries, country))
}

// at reports whether it is quiet at the time of day on the weekday.
func (q *Quiet) at(weekday time.Weekday, minute int) bool {
	if q.Days != ([7]bool{}) && !q.Days[weekday] {
		return false
	}
	if q.From < q.To {
		return minute >= q.From && minute < q.To
	}
	return minute >= q.From || minute < q.To
}

// boundary returns how many minutes after the time of day the answer of
// [Quiet.at] may change: the next of From, To and midnight.
func (q *Quiet) boundary(minute int) int {
	next := minutesOfDay
	for _, b := range [2]int{q.From, q.To} {
		if b > minute {
			next = min(next, b)
		}
	}
	return next - minute
}

// holding returns the quiet hours that hold at t with the zone in which they
// do; nil if it is not quiet.
func (h *hours) holding(t event.Time) (*Quiet, *time.Location) {
	if len(h.rules) == 0 {
		return nil, nil
	}
	for _, zone := range h.gate.plausible(h.profile, h.country, t) {
		local := t.In(zone)
		minute := local.Hour()*60 + local.Minute()
		for _, q := range h.rules {
			if q.at(local.Weekday(), minute) {
				return q, zone
			}
		}
	}
	return nil, nil
}

// next returns the first instant from t on that is not quiet in any plausible
// zone, and whether there is one up to the limit. It goes from boundary to
// boundary and stops where a clock is put forward or back, so it is right on
// the days when daylight saving begins and ends.
func (h *hours) next(t, limit event.Time) (event.Time, bool) {
	for t <= limit {
		q, zone := h.holding(t)
		if q == nil {
			return t, true
		}
		local := t.In(zone)
		whole := local.Truncate(time.Minute) // zones differ from UTC by whole minutes since 1972
		to := whole.Add(time.Duration(q.boundary(local.Hour()*60+local.Minute())) * time.Minute)
		if _, change := local.ZoneBounds(); !change.IsZero() && change.Before(to) {
			to = change
		}
		t = event.At(to)
	}
	return t, false
}
