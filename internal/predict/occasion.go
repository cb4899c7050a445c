package predict

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight/occasion"
	"rapport/internal/core/profile"
)

// Occasions is the model of what happens in customers' lives. It speaks of those
// alone who have agreed to the purpose of the occasion; the core asks again before
// it keeps anything.
type Occasions struct {
	// Definitions returns the occasions that the program in force declares. Nil: none.
	Definitions func() []*occasion.Definition
}

// tellOccasion is the chance from which an occasion is told.
const tellOccasion = 0.5

// About says what the model is.
func (Occasions) About() About {
	return About{
		Name: "occasion", Title: "What happens in customers' lives", Predicts: []string{occasion.Prefix},
		Needs: []Need{{"categories that the shop declares for an occasion", occasion.LeastSignals}, {"customers who bought in two years, for a yearly one", occasion.LeastSeasonal}},
	}
}

// life is what is read of one customer.
type life struct {
	who    identity.ID
	signs  []occasion.Sign
	agreed map[string]bool // purpose: the last word
}

// Fit looks for the occasions that are declared.
func (o Occasions) Fit(ctx context.Context, src Source, m Moment) (*Result, error) {
	r := &Result{}
	var declared []*occasion.Definition
	if o.Definitions != nil {
		declared = o.Definitions()
	}
	if len(declared) == 0 {
		r.Report.Refused = "no occasion is declared: write one into the folder occasions of the definitions"
		return r, nil
	}
	lives, err := readLives(ctx, src, m)
	if err != nil {
		return nil, err
	}
	r.Report.Customers = len(lives)
	r.Report.Method = "signs that the shop declares, with the strengths that it declares; yearly ones against the shop's own months"
	agreed := 0
	said := map[identity.ID][]Prediction{}
	for _, d := range declared {
		told := 0
		tell := func(who identity.ID, f *occasion.Found) {
			if f.Probability >= tellOccasion {
				told++
				said[who] = append(said[who], occasionPredictions(f, m)...)
			}
		}
		if d.Yearly {
			yearly(d, lives, m, tell)
		} else {
			for i := range lives {
				if f, ok := d.Detect(lives[i].signs, m.Now); ok && lives[i].agreed[d.Purpose] {
					tell(lives[i].who, &f)
				}
			}
		}
		r.Report.Figures = append(r.Report.Figures, Figure{d.Label + ": customers told of", float64(told)})
	}
	for i := range lives {
		if slices.ContainsFunc(declared, func(d *occasion.Definition) bool { return lives[i].agreed[d.Purpose] }) {
			agreed++
		}
	}
	r.Report.Figures = append(r.Report.Figures, Figure{"customers who agreed to be known so", float64(agreed)})
	for who, list := range said {
		slices.SortFunc(list, func(a, b Prediction) int { return strings.Compare(a.Name, b.Name) })
		r.People = append(r.People, Of{who, slices.CompactFunc(list, func(a, b Prediction) bool { return a.Name == b.Name })})
	}
	sortPeople(r.People)
	return r, nil
}

// yearly finds a yearly occasion of those who agreed. What others bought teaches
// the shop's own year; nothing is concluded of them.
func yearly(d *occasion.Definition, lives []life, m Moment, tell func(identity.ID, *occasion.Found)) {
	var list []occasion.Purchases
	agreed := map[string]identity.ID{}
	for i := range lives {
		l := &lives[i]
		by := map[string][]event.Time{}
		for _, s := range l.signs {
			if s.Bought {
				by[s.Category] = append(by[s.Category], s.At)
			}
		}
		for category, at := range by {
			list = append(list, occasion.Purchases{Person: l.who.String(), Category: category, At: at})
		}
		if l.agreed[d.Purpose] {
			agreed[l.who.String()] = l.who
		}
	}
	for _, y := range occasion.Seasons(d, list, m.Now, m.Zone) {
		if who, ok := agreed[y.Person]; ok {
			tell(who, &y.Found)
		}
	}
}

func occasionPredictions(f *occasion.Found, m Moment) []Prediction {
	name, evidence := occasion.Prefix+f.Name, f.Evidence(m.Zone)
	day := func(at event.Time) event.Value { return event.Text(at.In(m.Zone).Format("2006-01-02")) }
	return []Prediction{
		{Name: name, Value: event.Num(round2(f.Probability)), Until: f.End, Evidence: evidence},
		{Name: name + ".start", Value: day(f.Start), Until: f.End, Evidence: evidence},
		{Name: name + ".end", Value: day(f.End), Until: f.End, Evidence: evidence},
	}
}

// readLives reads what customers did with categories and what they agreed to.
func readLives(ctx context.Context, src Source, m Moment) ([]life, error) {
	by := map[identity.ID]*life{}
	of := func(who identity.ID) *life {
		l := by[who]
		if l == nil {
			l = &life{who: who, agreed: map[string]bool{}}
			by[who] = l
		}
		return l
	}
	for line, err := range src.Lines(ctx, m.Now) {
		if err != nil {
			return nil, err
		}
		if line.Kind == profile.Completed && line.Category != "" && line.Quantity > 0 {
			l := of(line.Profile)
			l.signs = append(l.signs, occasion.Sign{At: line.At, Category: line.Category, Bought: true})
		}
	}
	for e, err := range src.Events(ctx, m.Now, event.ProductViewed, event.ProductAdded, event.ConsentChanged) {
		if err != nil {
			return nil, err
		}
		if e.Name == event.ConsentChanged {
			of(e.Profile).agreed[e.Purpose] = e.State == "granted"
			continue
		}
		if e.Category != "" {
			l := of(e.Profile)
			l.signs = append(l.signs, occasion.Sign{At: e.At, Category: e.Category})
		}
	}
	lives := make([]life, 0, len(by))
	for _, l := range by {
		slices.SortStableFunc(l.signs, func(a, b occasion.Sign) int { return int(min(1, max(-1, a.At-b.At))) })
		lives = append(lives, *l)
	}
	slices.SortFunc(lives, func(a, b life) int { return slices.Compare(a.who[:], b.who[:]) })
	return lives, nil
}

// Seen is an occasion that was told of one customer, for people.
type Seen struct {
	Profile     identity.ID
	Name        string
	Probability float64
	Evidence    string
}

// TopOccasions returns the likeliest occasions of a result, at most n.
func TopOccasions(r *Result, n int) (list []Seen) {
	for _, of := range r.People {
		for _, p := range of.Predictions {
			if chance, ok := p.Value.Float(); ok && p.Value.Kind == event.Number && strings.HasPrefix(p.Name, occasion.Prefix) {
				list = append(list, Seen{of.Profile, strings.TrimPrefix(p.Name, occasion.Prefix), chance, p.Evidence})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Seen) int {
		switch {
		case a.Probability > b.Probability:
			return -1
		case a.Probability < b.Probability:
			return 1
		}
		return 0
	})
	return list[:min(n, len(list))]
}

// String says it for people.
func (s Seen) String() string {
	return fmt.Sprintf("%s, %.0f %% likely: %s", s.Name, s.Probability*100, s.Evidence)
}
