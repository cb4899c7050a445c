package predict

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight/rhythm"
	"rapport/internal/core/profile"
)

// The names of predictions about rhythms. The value of a best hour is an hour of
// the week from 0, Monday at midnight, to 167; a rhythm's is what it is for people,
// as "on Fridays"; an affinity's how many times more than others they answer.
const (
	BestHourPrefix = "best_hour."        // + channel, or channel and device class
	RhythmPrefix   = "rhythm."           // + weekday, part, hour or month
	AffinityPrefix = "channel_affinity." // + channel
)

// tellAffinity is from how many contacts on an affinity is told: before it everybody
// has that of people at large.
const tellAffinity = 5

// Rhythms is the model of when customers answer and come.
type Rhythms struct{}

// About says what the model is.
func (Rhythms) About() About {
	return About{
		Name: "rhythm", Title: "When customers answer, and when they come", Predicts: []string{BestHourPrefix, RhythmPrefix, AffinityPrefix},
		Needs: []Need{
			{"messages answered on a channel", rhythm.LeastAnswers},
			{"customers who answered there", rhythm.LeastPersons},
			{"messages to a customer, for an hour of their own", rhythm.LeastContacts},
			{"days of buying after the first, for a rhythm", rhythm.LeastTimes},
		},
	}
}

// contacted is what is known of messages and answers.
type contacted struct {
	contacts []rhythm.Contact
	reach    []rhythm.Reach
	people   []identity.ID
}

// readContacts reads messages, and what humans did with them. What machines opened
// or clicked says nothing, nor does what nobody knows who did.
func readContacts(ctx context.Context, src Source, m Moment) (*contacted, error) {
	c := &contacted{}
	type key struct{ delivery, channel string }
	open := map[key]int{} // of the customer: place in contacts
	first := 0
	var who identity.ID
	flush := func() {
		reach := map[string]*rhythm.Reach{}
		var channels []string
		for _, one := range c.contacts[first:] {
			r := reach[one.Channel]
			if r == nil {
				r = &rhythm.Reach{Person: one.Person, Channel: one.Channel}
				reach[one.Channel], channels = r, append(channels, one.Channel)
			}
			r.Contacts++
			if one.Answered {
				r.Answers++
			}
		}
		slices.Sort(channels)
		for _, ch := range channels {
			c.reach = append(c.reach, *reach[ch])
		}
		c.people = append(c.people, who)
		first = len(c.contacts)
		clear(open)
	}
	for e, err := range src.Events(ctx, m.Now, event.MessageSent, event.MessageOpened, event.MessageClicked, event.MessageReplied) {
		if err != nil {
			return nil, err
		}
		if e.Profile != who {
			if first < len(c.contacts) {
				flush()
			}
			who = e.Profile
		}
		k := key{e.Delivery, cmp.Or(e.Channel, "email")}
		if k.delivery == "" {
			continue
		}
		hour := rhythm.HourOf(e.At.In(m.Zone))
		at, sent := open[k]
		switch {
		case e.Name == event.MessageSent && !sent:
			open[k] = len(c.contacts)
			c.contacts = append(c.contacts, rhythm.Contact{Person: who.String(), Channel: k.channel, Sent: hour})
		case e.Name == event.MessageSent, !sent:
		case e.Name == event.MessageReplied || e.Actor == "human":
			if one := &c.contacts[at]; !one.Answered {
				one.Answered, one.Hour, one.Device = true, hour, e.Device
			}
		}
	}
	if first < len(c.contacts) {
		flush()
	}
	return c, nil
}

// hours fits the hours of each channel, and of each device class on it.
func hours(c *contacted, r *Report) []*rhythm.Hours {
	type class struct{ channel, device string } // of every device, if it is empty
	by := map[string]class{}
	for i := range c.contacts {
		one := &c.contacts[i]
		by[one.Channel] = class{one.Channel, ""}
		if one.Answered && one.Device != "" {
			by[one.Channel+"."+one.Device] = class{one.Channel, one.Device}
		}
	}
	names := make([]string, 0, len(by))
	for name := range by {
		names = append(names, name)
	}
	slices.Sort(names)
	var list []*rhythm.Hours
	var of []rhythm.Contact
	for _, name := range names {
		of = of[:0]
		for _, one := range c.contacts {
			if k := by[name]; one.Channel == k.channel && (k.device == "" || one.Answered && one.Device == k.device) {
				of = append(of, one)
			}
		}
		h, err := rhythm.FitHours(name, of)
		if err != nil {
			r.Figures = append(r.Figures, Figure{"refused: " + err.Error(), 0})
			continue
		}
		list = append(list, h)
		r.Figures = append(r.Figures, Figure{"answers by " + name, float64(h.Answers)}, Figure{"best hour of all by " + name + ": " + rhythm.HourName(h.Peers), float64(h.Peers)})
	}
	return list
}

// Fit learns hours, affinities and rhythms.
func (Rhythms) Fit(ctx context.Context, src Source, m Moment) (*Result, error) {
	c, err := readContacts(ctx, src, m)
	if err != nil {
		return nil, err
	}
	visits, buyers, err := readVisits(ctx, src, m)
	if err != nil {
		return nil, err
	}
	r := &Result{}
	said := map[identity.ID][]Prediction{}
	own, contacted := 0, 0
	for _, h := range hours(c, &r.Report) {
		for _, who := range c.people {
			b := h.Best(who.String())
			if b.Contacts == 0 {
				continue
			}
			contacted++
			if b.Own {
				own++
			}
			said[who] = append(said[who], Prediction{Name: BestHourPrefix + h.Channel, Value: event.Int(int64(b.Hour)), Evidence: b.Evidence(h.Channel)})
		}
	}
	channels := rhythm.FitChannels(c.reach)
	for _, one := range c.reach {
		if a, ok := channels.Affinity(one); ok && a.Contacts >= tellAffinity {
			who, err := identity.ParseID(one.Person)
			if err != nil {
				continue // unreachable: it was written by String
			}
			said[who] = append(said[who], Prediction{Name: AffinityPrefix + a.Channel, Value: event.Num(round2(a.Lift)), Evidence: a.Evidence()})
		}
	}
	groups := make([]rhythm.Group, len(buyers))
	for i, who := range buyers {
		groups[i] = rhythm.Group{Name: who.String(), People: []string{who.String()}}
	}
	found := rhythm.Find(visits, groups, m.Zone)
	for _, f := range found.Findings {
		who, err := identity.ParseID(f.Group)
		if err != nil {
			continue // unreachable: it was written by String
		}
		said[who] = append(said[who], Prediction{Name: RhythmPrefix + string(f.Kind), Value: event.Text(f.Name()), Evidence: f.Evidence()})
	}
	for who, list := range said {
		slices.SortFunc(list, func(a, b Prediction) int { return cmp.Compare(a.Name, b.Name) })
		r.People = append(r.People, Of{who, list})
	}
	sortPeople(r.People)
	r.Report.Customers = max(len(c.people), len(buyers))
	r.Report.Method = fmt.Sprintf("hours: answers against when was written and how soon others answer; rhythms: exact tests against the shop's own calendar, of those told at most %.0f %% chance", rhythm.Errors*100)
	r.Report.Figures = append(r.Report.Figures,
		Figure{"customers and channels with an hour of their own", float64(own)}, Figure{"customers and channels asked", float64(contacted)},
		Figure{"rhythms tested", float64(found.Tested)}, Figure{"rhythms found", float64(len(found.Findings))},
		Figure{"customers with too few days of buying", float64(found.TooFew)})
	if len(r.People) == 0 && found.Tested == 0 {
		r.Report.Refused = strconv.Itoa(len(c.contacts)) + " messages, and nobody bought on more than " + strconv.Itoa(rhythm.LeastTimes) +
			" days: nothing can be said of hours or rhythms yet"
	}
	return r, nil
}

// readVisits reads the days on which customers bought, at the instants of their
// orders, and who they are.
func readVisits(ctx context.Context, src Source, m Moment) (list []rhythm.Visit, buyers []identity.ID, err error) {
	for o, err := range src.Orders(ctx, m.Now) {
		if err != nil {
			return nil, nil, err
		}
		if o.Kind != profile.Completed {
			continue
		}
		if len(buyers) == 0 || buyers[len(buyers)-1] != o.Profile {
			buyers = append(buyers, o.Profile)
		}
		list = append(list, rhythm.Visit{Person: o.Profile.String(), At: o.At})
	}
	return list, buyers, nil
}

// Rhythm finds the rhythms of groups of customers, such as segments, by name, in
// one search. It is what a report on a segment asks.
func Rhythm(ctx context.Context, src Source, m Moment, groups map[string][]identity.ID) (rhythm.Search, error) {
	visits, _, err := readVisits(ctx, src, m)
	if err != nil {
		return rhythm.Search{}, err
	}
	names := make([]string, 0, len(groups))
	for name := range groups {
		names = append(names, name)
	}
	slices.Sort(names)
	list := make([]rhythm.Group, 0, len(names))
	for _, name := range names {
		g := rhythm.Group{Name: name}
		for _, id := range groups[name] {
			g.People = append(g.People, id.String())
		}
		list = append(list, g)
	}
	return rhythm.Find(visits, list, m.Zone), nil
}

// hourOfDay is the hour of an instant in the shop's zone.
func hourOfDay(at event.Time, zone *time.Location) int { return at.In(zone).Hour() }
