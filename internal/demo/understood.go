package demo

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"rapport/internal/core/identity"
	"rapport/internal/core/insight/rhythm"
	"rapport/internal/fault"
	"rapport/internal/predict"
	"rapport/internal/report"
	"rapport/internal/suggest"
)

// Understood is what the product makes of the year when it is over. All of it
// comes from orders, which are real, and nothing from what was invented.
type Understood struct {
	CLV       Deciles         `json:"clv_deciles"`
	Cohorts   []report.Cohort `json:"cohorts"`
	RFM       Places          `json:"rfm_personas"`
	Personas  Kinds           `json:"personas"`
	Occasions Occasions       `json:"occasions"`
	Rhythms   Rhythms         `json:"rhythms"`
	Need      Need            `json:"need"`
	Recommend []Hits          `json:"recommend"`
}

// Deciles are tenths of the customers by what was expected of them, the most first,
// beside what they really spent in days that the model did not see.
type Deciles struct {
	Model   string        `json:"model"`
	Checked string        `json:"checked"`
	Tenths  []predict.Bin `json:"tenths"`
	Refused string        `json:"refused,omitempty"`
}

// Places are customers by how lately, how often and for how much they bought.
type Places struct {
	Customers int64          `json:"customers"` // who bought and paid
	Once      int64          `json:"customers_with_one_order"`
	Recency   report.Spread  `json:"recency_days"`
	Frequency report.Spread  `json:"frequency"`
	Monetary  report.Spread  `json:"monetary"`
	Placed    int            `json:"placed"` // by the model: the same, with what was sent back taken from their money
	Personas  []predict.Kind `json:"personas"`
}

// Kinds are the kinds of customers that were found, not declared.
type Kinds struct {
	Method  string         `json:"method,omitempty"`
	Kinds   []predict.Kind `json:"kinds"`
	Refused string         `json:"refused,omitempty"`
}

// Occasions are what was found of customers' lives.
type Occasions struct {
	Top     []string `json:"top"`
	Refused string   `json:"refused,omitempty"`
}

// Rhythms are habits that differ from the shop's own calendar.
type Rhythms struct {
	Tested     int      `json:"tested"`
	Found      int      `json:"found"`
	OnSaturday int      `json:"on_saturdays"`
	Kinds      []Kind   `json:"kinds"` // found of each kind
	Top        []Rhythm `json:"top"`   // the least likely to be chance, of a customer each
}

// Kind counts the rhythms of a kind.
type Kind struct {
	Name  string `json:"name"`
	Found int    `json:"found"`
}

// Rhythm is one customer's.
type Rhythm struct {
	Customer string  `json:"customer"`
	When     string  `json:"when"`
	Evidence string  `json:"evidence"`
	Lift     float64 `json:"lift"`
}

// Need says how far dates of need were off, in days, in a quarter that the model
// did not see; in the middle of them.
type Need struct {
	Customers int     `json:"customers"` // who are told a date
	Checked   string  `json:"checked"`
	Dates     int     `json:"dates"`
	Ours      float64 `json:"median_error_days"`
	Last      float64 `json:"of_the_last_gap"`
	Mean      float64 `json:"of_the_mean_gap"`
	Middle    float64 `json:"of_always_the_middle"`
	Refused   string  `json:"refused,omitempty"`
}

// Hits is a figure of recommendations beside that of a plain method.
type Hits struct {
	What  string  `json:"what"`
	Ours  float64 `json:"ours"`
	Plain float64 `json:"plain_method"`
}

// Found is what [Understand] puts together.
type Found struct {
	Results map[string]*predict.Result // of each model, by its name
	Source  predict.Source
	Moment  predict.Moment
	Cohorts report.Cohorts
	RFM     report.RFM
	// Named returns the number that the shop knows a customer by.
	Named func(ctx context.Context, id identity.ID) (string, error)
}

// shown is how many examples are shown of what was found.
const shown = 5

// Understand puts together what was found in the year.
func Understand(ctx context.Context, f *Found) (*Understood, error) {
	for _, name := range []string{"value", "rfm", "personas", "occasion", "need"} {
		if f.Results[name] == nil {
			return nil, fault.New(fault.Internal, "the model "+name+" did not run")
		}
	}
	value, places, kinds := &f.Results["value"].Report, &f.Results["rfm"].Report, &f.Results["personas"].Report
	u := &Understood{
		CLV:     Deciles{Checked: value.Checked, Tenths: value.Calibration, Refused: value.Refused},
		Cohorts: f.Cohorts.Rows,
		RFM: Places{
			Customers: f.RFM.Customers, Once: f.RFM.Once, Recency: f.RFM.Recency, Frequency: f.RFM.Frequency, Monetary: f.RFM.Monetary,
			Placed: places.Customers, Personas: predict.PersonasOf(places),
		},
		Personas:  Kinds{kinds.Method, predict.Kinds(kinds), kinds.Refused},
		Occasions: Occasions{Top: []string{}, Refused: f.Results["occasion"].Report.Refused},
		Need:      needOf(f.Results["need"]),
	}
	u.CLV.Model, _, _ = strings.Cut(value.Method, ".")
	for _, seen := range predict.TopOccasions(f.Results["occasion"], shown) {
		name, err := f.Named(ctx, seen.Profile)
		if err != nil {
			return nil, err
		}
		u.Occasions.Top = append(u.Occasions.Top, "customer "+name+": "+seen.String())
	}
	var err error
	if u.Rhythms, err = rhythmsOf(ctx, f); err != nil {
		return nil, err
	}
	measured, err := suggest.Retail()
	if err != nil {
		return nil, err
	}
	for _, m := range measured {
		u.Recommend = append(u.Recommend, Hits{m.What, m.Ours, m.Published})
	}
	return u, nil
}

func needOf(r *predict.Result) Need {
	n := Need{Customers: len(r.People), Checked: r.Report.Checked, Refused: r.Report.Refused}
	for _, f := range r.Report.Figures {
		switch f.Name {
		case "median error in days":
			n.Ours = f.Value
		case "of the last gap":
			n.Last = f.Value
		case "of the mean gap":
			n.Mean = f.Value
		case "of always the middle":
			n.Middle = f.Value
		case "dates compared":
			n.Dates = int(f.Value)
		}
	}
	return n
}

// rhythmsOf looks for the rhythms of all customers at once, as the model does.
func rhythmsOf(ctx context.Context, f *Found) (Rhythms, error) {
	shoppers, err := predict.Shoppers(ctx, f.Source, f.Moment)
	if err != nil {
		return Rhythms{}, err
	}
	groups, who := map[string][]identity.ID{}, map[string]identity.ID{}
	for i := range shoppers {
		id := shoppers[i].Profile
		groups[id.String()], who[id.String()] = []identity.ID{id}, id
	}
	search, err := predict.Rhythm(ctx, f.Source, f.Moment, groups)
	if err != nil {
		return Rhythms{}, err
	}
	r := Rhythms{Tested: search.Tested, Found: len(search.Findings), Kinds: []Kind{}, Top: []Rhythm{}}
	count := map[rhythm.Kind]int{}
	for i := range search.Findings {
		one := &search.Findings[i]
		count[one.Kind]++
		if strings.Contains(one.Name(), "Saturday") {
			r.OnSaturday++
		}
	}
	for _, k := range []rhythm.Kind{rhythm.Weekday, rhythm.Part, rhythm.Hour, rhythm.Month} {
		if count[k] > 0 {
			r.Kinds = append(r.Kinds, Kind{string(k), count[k]})
		}
	}
	slices.SortStableFunc(search.Findings, func(a, b rhythm.Finding) int {
		return cmp.Or(cmp.Compare(a.Chance, b.Chance), cmp.Compare(a.Group, b.Group))
	})
	for i := range search.Findings {
		one := &search.Findings[i]
		if len(r.Top) == shown {
			break
		}
		name, err := f.Named(ctx, who[one.Group])
		if err != nil {
			return Rhythms{}, err
		}
		if !slices.ContainsFunc(r.Top, func(t Rhythm) bool { return t.Customer == name }) {
			r.Top = append(r.Top, Rhythm{name, one.Name(), one.Evidence(), one.Lift})
		}
	}
	return r, nil
}
