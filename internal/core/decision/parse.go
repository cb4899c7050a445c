package decision

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/money"
	"rapport/internal/core/spec"
	"rapport/internal/fault"
)

// ParsePolicy reads a policy and notes every problem in ps. What is not written
// has its default; a Null node gives [Defaults]. The keys:
//
//	zone: Europe/London          # the shop's own
//	currency: GBP
//	caps:                        # rolling windows; a list of several is fine
//	  all: {per: 7d, most: 3}
//	  email: [{per: 1d, most: 1}, {per: 30d, most: 8}]
//	gap: 4h
//	quiet: {from: "21:00", to: "08:00"}   # or a list; also days, channels, countries
//	at_cap: defer                # or drop; likewise at_quiet and at_conversation
//	max_deferral: 7d
//	expires: 3d
//	owned_for: 90d               # or {default: 90d, categories: {Coffee: 14d}}
//	substitutes: none            # or category, or groups: [[LAMP-1, LAMP-2], [SHADE, SHADE-XL]]
//	auction: 0s
//	holdout: 5%
func ParsePolicy(n spec.Node, ps *spec.Problems) Policy {
	p := Defaults()
	switch n.Kind {
	case spec.Null:
		return p
	case spec.Map:
	default:
		ps.Add(n.Pos, "caps: {all: {per: 7d, most: 3}}", "a policy is a map of settings")
		return p
	}
	seen := map[string]bool{}
	for _, f := range n.Fields {
		if seen[f.Key] {
			ps.Add(f.Pos, "", "%q is written twice", f.Key)
			continue
		}
		seen[f.Key] = true
		p.read(f, ps)
	}
	return p
}

// read takes one setting.
func (p *Policy) read(f spec.Field, ps *spec.Problems) {
	switch f.Key {
	case "zone":
		if zone, ok := textOf(f, ps); ok {
			if !zoneKnown(zone) {
				ps.Add(f.Value.Pos, "Europe/London", "%q is not the name of a time zone", zone)
				return
			}
			p.Zone = zone
		}
	case "currency":
		if text, ok := textOf(f, ps); ok {
			c, err := money.ParseCurrency(text)
			if err != nil {
				_, why := fault.Of(err)
				ps.Add(f.Value.Pos, "GBP", "%s", why)
				return
			}
			p.Currency = c
		}
	case "caps":
		p.Caps = capsOf(f, ps)
	case "gap":
		periodInto(&p.Gap, f, ps)
	case "quiet":
		p.Quiet = quietOf(f, ps)
	case "at_cap":
		thenInto(&p.AtCap, f, ps)
	case "at_quiet":
		thenInto(&p.AtQuiet, f, ps)
	case "at_conversation":
		thenInto(&p.AtConversation, f, ps)
	case "max_deferral":
		periodInto(&p.MaxDeferral, f, ps)
	case "expires":
		if periodInto(&p.Expires, f, ps) && p.Expires == 0 {
			ps.Add(f.Value.Pos, "3d", "a message that expires at once is never sent")
		}
	case "owned_for":
		p.readOwned(f, ps)
	case "substitutes":
		if f.Value.Kind == spec.List {
			p.readAlike(f, ps)
			return
		}
		switch text, ok := textOf(f, ps); {
		case !ok:
		case text == "none":
			p.Substitutes = NoSubstitutes
		case text == "category":
			p.Substitutes = SameCategory
		default:
			ps.Add(f.Value.Pos, "category", "substitutes are none or category, or groups of SKUs, not %q", text)
		}
	case "auction":
		if periodInto(&p.Auction, f, ps) && p.Auction != 0 {
			p.Auction = 0
			ps.Add(f.Value.Pos, "0s", "intents are taken first come: an auction window other than 0 is not supported")
		}
	case "holdout":
		p.readHoldout(f, ps)
	default:
		ps.Add(f.Pos, "zone, currency, caps, gap, quiet, at_cap, at_quiet, at_conversation, max_deferral, expires, owned_for, substitutes, auction or holdout",
			"a policy has no setting %q", f.Key)
	}
}

func (p *Policy) readHoldout(f spec.Field, ps *spec.Problems) {
	text, ok := textOf(f, ps)
	if !ok {
		return
	}
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	share, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		share /= 100
	}
	if err != nil || !(share >= 0 && share <= MaxHoldout) {
		ps.Add(f.Value.Pos, "5%", "a holdout is a share of the customers from 0%% to %.0f%%, not %q", MaxHoldout*100, text)
		return
	}
	p.Holdout = share
}

func (p *Policy) readOwned(f spec.Field, ps *spec.Problems) {
	if f.Value.Kind != spec.Map {
		periodInto(&p.OwnedFor, f, ps)
		return
	}
	for _, g := range f.Value.Fields {
		switch {
		case g.Key == "default":
			periodInto(&p.OwnedFor, g, ps)
		case g.Key == "categories" && g.Value.Kind == spec.Map:
			for _, c := range g.Value.Fields {
				o := Owned{Category: c.Key}
				if o.Category == "" {
					ps.Add(c.Pos, "Coffee: 14d", "a category needs its name")
				} else if periodInto(&o.For, c, ps) {
					p.OwnedIn = append(p.OwnedIn, o)
				}
			}
		default:
			ps.Add(g.Pos, "{default: 90d, categories: {Coffee: 14d}}", "owned_for has a default and categories, not %q", g.Key)
		}
	}
	if len(p.OwnedIn) > MaxOwned {
		ps.Add(f.Value.Pos, "", "more than %d categories have a period of their own", MaxOwned)
		p.OwnedIn = p.OwnedIn[:MaxOwned]
	}
}

// readAlike takes groups of what is as good as one another.
func (p *Policy) readAlike(f spec.Field, ps *spec.Problems) {
	const example = "[[LAMP-1, LAMP-2], [SHADE, SHADE-XL]]"
	for _, group := range f.Value.Items {
		var names []string
		for _, name := range group.Items {
			if name.Scalar() && name.Text != "" {
				names = append(names, name.Text)
			}
		}
		if group.Kind != spec.List || len(names) != len(group.Items) || len(names) < 2 || len(names) > MaxGroup {
			ps.Add(group.Pos, example, "a group of substitutes is a list of 2 to %d SKUs or products", MaxGroup)
			continue
		}
		p.Alike = append(p.Alike, names)
	}
	if len(p.Alike) > MaxAlike {
		ps.Add(f.Value.Pos, "", "there are more than %d groups of substitutes", MaxAlike)
		p.Alike = p.Alike[:MaxAlike]
	}
}

func capsOf(f spec.Field, ps *spec.Problems) []Cap {
	if f.Value.Kind != spec.Map {
		ps.Add(f.Value.Pos, "{all: {per: 7d, most: 3}}", "caps are a map of channels, or all, to {per, most}")
		return nil
	}
	var caps []Cap
	for _, g := range f.Value.Fields {
		list := []spec.Node{g.Value}
		if g.Value.Kind == spec.List {
			list = g.Value.Items
		}
		channel := g.Key
		if channel == "all" {
			channel = ""
		}
		for _, n := range list {
			if c, ok := capOf(channel, n, ps); ok {
				caps = append(caps, c)
			}
		}
	}
	if len(caps) > MaxCaps {
		ps.Add(f.Value.Pos, "", "more than %d caps", MaxCaps)
		caps = caps[:MaxCaps]
	}
	return caps
}

func capOf(channel string, n spec.Node, ps *spec.Problems) (Cap, bool) {
	const instead = "{per: 7d, most: 3}"
	c := Cap{Channel: channel}
	var per, most bool
	for _, f := range n.Fields {
		switch f.Key {
		case "per":
			if per = periodInto(&c.Per, f, ps); !per {
				return c, false
			}
		case "most":
			number, err := strconv.Atoi(f.Value.Text)
			if f.Value.Kind != spec.Number || err != nil || number < 0 {
				ps.Add(f.Value.Pos, "3", "most is a whole number of messages")
				return c, false
			}
			c.Most, most = number, true
		default:
			ps.Add(f.Pos, instead, "a cap has per and most, not %q", f.Key)
			return c, false
		}
	}
	if !per || !most || c.Per == 0 {
		ps.Add(n.Pos, instead, "a cap needs both a period and how many messages it may hold")
		return c, false
	}
	return c, true
}

func quietOf(f spec.Field, ps *spec.Problems) []Quiet {
	list := []spec.Node{f.Value}
	if f.Value.Kind == spec.List {
		list = f.Value.Items
	}
	var quiet []Quiet
	for _, n := range list {
		if q, ok := quietHours(n, ps); ok {
			quiet = append(quiet, q)
		}
	}
	if len(quiet) > MaxQuiet {
		ps.Add(f.Value.Pos, "", "more than %d quiet hours", MaxQuiet)
		quiet = quiet[:MaxQuiet]
	}
	return quiet
}

func quietHours(n spec.Node, ps *spec.Problems) (Quiet, bool) {
	const instead = `{from: "21:00", to: "08:00"}`
	if n.Kind != spec.Map {
		ps.Add(n.Pos, instead, "quiet hours are a map with from and to")
		return Quiet{}, false
	}
	q, found := Quiet{}, 0
	for _, f := range n.Fields {
		switch f.Key {
		case "from", "to":
			minute, ok := clockOf(f.Value.Text)
			if !ok {
				ps.Add(f.Value.Pos, `"21:00"`, "%s is a time of day in quotation marks, not %q", f.Key, f.Value.Text)
				return q, false
			}
			found++
			if f.Key == "from" {
				q.From = minute
			} else {
				q.To = minute
			}
		case "days":
			for _, d := range textsOf(f, ps) {
				i := slices.Index(weekdays[:], strings.ToLower(d))
				if i < 0 {
					ps.Add(f.Value.Pos, "[sat, sun]", "%q is not a weekday", d)
					continue
				}
				q.Days[i] = true
			}
		case "channels":
			q.Channels = textsOf(f, ps)
		case "countries":
			for _, c := range textsOf(f, ps) {
				code := CountryCode(c)
				if code == "" {
					ps.Add(f.Value.Pos, "[US, CA]", "%q is not a country", c)
					continue
				}
				q.Countries = append(q.Countries, code)
			}
		default:
			ps.Add(f.Pos, instead, "quiet hours have from, to, days, channels and countries, not %q", f.Key)
		}
	}
	if found != 2 || q.From == q.To || (q.From == 0 && q.To == minutesOfDay && q.Days == [7]bool{}) {
		ps.Add(n.Pos, instead, "quiet hours need a from and a to that leave some of the week")
		return q, false
	}
	return q, true
}

var weekdays = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

const minutesOfDay = 24 * 60

// clockOf returns the minutes after midnight of "08:30"; "24:00" is the end of
// the day.
func clockOf(s string) (int, bool) {
	hour, minute, ok := strings.Cut(s, ":")
	h, err := strconv.Atoi(hour)
	m, err2 := strconv.Atoi(minute)
	if !ok || cmp.Or(err, err2) != nil || len(minute) != 2 || h < 0 || m < 0 || m > 59 || h*60+m > minutesOfDay {
		return 0, false
	}
	return h*60 + m, true
}

func thenInto(t *Then, f spec.Field, ps *spec.Problems) {
	switch text, ok := textOf(f, ps); {
	case !ok:
	case text == "defer":
		*t = Defer
	case text == "drop":
		*t = Drop
	default:
		ps.Add(f.Value.Pos, "defer", "%s is defer or drop, not %q", f.Key, text)
	}
}

func textOf(f spec.Field, ps *spec.Problems) (string, bool) {
	if !f.Value.Scalar() {
		ps.Add(f.Value.Pos, "", "%s needs one value", f.Key)
		return "", false
	}
	return f.Value.Text, true
}

func textsOf(f spec.Field, ps *spec.Problems) []string {
	if f.Value.Kind != spec.List {
		if t, ok := textOf(f, ps); ok {
			return []string{t}
		}
		return nil
	}
	var texts []string
	for _, n := range f.Value.Items {
		if !n.Scalar() {
			ps.Add(n.Pos, "", "%s needs a list of single values", f.Key)
			continue
		}
		texts = append(texts, n.Text)
	}
	return texts
}

func periodInto(d *time.Duration, f spec.Field, ps *spec.Problems) bool {
	text, ok := textOf(f, ps)
	if !ok {
		return false
	}
	v, ok := Period(text)
	if !ok {
		ps.Add(f.Value.Pos, "7d", "%s is a period of at most ten years such as 30m, 4h, 7d or 2w, not %q", f.Key, text)
		return false
	}
	*d = v
	return true
}

// Period reads a period such as "90d", "1d12h", "30m", "2w" or "0". It reports
// false for anything else, for less than nothing and for more than MaxPeriod.
func Period(s string) (time.Duration, bool) {
	if s == "0" {
		return 0, true
	}
	var sum time.Duration
	for rest := s; rest != ""; {
		i := 0
		for i < len(rest) && rest[i] >= '0' && rest[i] <= '9' {
			i++
		}
		n, err := strconv.Atoi(rest[:i])
		if err != nil || i == len(rest) {
			return 0, false
		}
		var unit time.Duration
		switch rest[i] {
		case 'w':
			unit = 7 * day
		case 'd':
			unit = day
		case 'h':
			unit = time.Hour
		case 'm':
			unit = time.Minute
		case 's':
			unit = time.Second
		default:
			return 0, false
		}
		if n > int(MaxPeriod/unit) {
			return 0, false
		}
		sum += time.Duration(n) * unit
		rest = rest[i+1:]
	}
	return sum, s != "" && sum <= MaxPeriod
}
