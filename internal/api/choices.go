package api

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/program"
)

// Whoever writes a condition is shown what could stand there. What the definitions
// name is known exactly; what customers did and are is learnt from a sample of them.
// Nothing is forbidden for not being shown.

const (
	// sampled is how many customers are looked at: ids are random, so they are a sample.
	sampled = 300
	// sampleFor is how long what was learnt is shown before it is learnt anew.
	sampleFor = time.Minute
	// shared is how many customers must have a value before it is shown: a name or an
	// address, which one person has, is no choice.
	shared = 3
	// maxChoices bounds an answer; who needs another types it.
	maxChoices = 300
	// maxNested bounds how deep properties are looked into.
	maxNested = 3
)

// candidate is one value that could stand in a condition.
type candidate struct {
	Value string           `json:"value"`
	Label string           `json:"label,omitempty" doc:"What a person calls it, if that is another word."`
	Words *condition.Words `json:"words,omitempty" doc:"What it is called in each language, if that is other words."`
	About string           `json:"about,omitempty"`
	Seen  int              `json:"seen,omitempty" doc:"With how many of the sampled customers it was seen."`
}

// vocabulary is what was seen with a sample of customers.
type vocabulary struct {
	mu   sync.Mutex
	at   time.Time
	seen map[string]map[string]int // by source, then value: with how many customers
}

// seenWith says which values of a source were seen, the most frequent first.
func (v *vocabulary) list(source string) []candidate {
	list := []candidate{}
	for value, n := range v.seen[source] {
		list = append(list, candidate{Value: value, Seen: n})
	}
	slices.SortFunc(list, func(a, b candidate) int { return cmp.Or(b.Seen-a.Seen, strings.Compare(a.Value, b.Value)) })
	return list
}

// key names the source of what depends on something else.
func key(parts ...string) string { return strings.Join(parts, "\x00") }

// words returns what is seen with a sample of the customers.
func (a *API) words(ctx context.Context) (*vocabulary, error) {
	v := &a.vocabulary
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.seen != nil && time.Since(v.at) < sampleFor {
		return &vocabulary{seen: v.seen}, nil
	}
	seen, looked := map[string]map[string]int{}, 0
	for p, err := range a.o.Node.Customers(ctx, identity.ID{}) {
		if err != nil {
			return nil, fmt.Errorf("sampling customers: %w", err)
		}
		if looked++; looked > sampled {
			break
		}
		one := map[string]map[string]bool{}
		note := func(source, value string) {
			if value == "" || len(value) > 200 {
				return
			}
			if one[source] == nil {
				one[source] = map[string]bool{}
			}
			one[source][value] = true
		}
		noteProfile(p, note)
		blocks, err := a.o.Store.History(ctx, p.ID)
		if err != nil {
			return nil, fmt.Errorf("sampling histories: %w", err)
		}
		for _, b := range blocks[:min(len(blocks), 20)] {
			events, err := engine.UnpackHistory(b.Body)
			if err != nil {
				continue // a damaged block names nothing
			}
			for j := range events {
				e := &events[j].Event
				if e.Type != event.Track {
					continue
				}
				note("events", e.Name)
				each("", e.Props, 0, func(path, value string) {
					note("properties", path)
					note(key("properties", e.Name), path)
					if value != "" {
						note(key("property values", path), value)
						note(key("property values", e.Name, path), value)
					}
				})
			}
		}
		for source, values := range one {
			if seen[source] == nil {
				seen[source] = map[string]int{}
			}
			for value := range values {
				seen[source][value]++
			}
		}
	}
	for source, values := range seen {
		// What few have is somebody's own: no address and no name is shown as a choice.
		if strings.Contains(source, "values") {
			maps.DeleteFunc(values, func(_ string, n int) bool { return n < shared })
		}
	}
	v.seen, v.at = seen, time.Now()
	return &vocabulary{seen: seen}, nil
}

func noteProfile(p *profile.Profile, note func(source, value string)) {
	for i := range p.Traits {
		t := &p.Traits[i]
		note("traits", t.Name)
		if t.Value.Kind == event.Map {
			each(t.Name+".", t.Value.Object(), 1, func(path, value string) {
				note("traits", path)
				note(key("trait values", path), value)
			})
		} else {
			note(key("trait values", t.Name), plain(t.Value))
		}
	}
	for i := range p.Objects {
		o := &p.Objects[i]
		note("objects", o.Type)
		each("", o.Props, 0, func(path, value string) {
			note(key("object properties", o.Type), path)
			note(key("object property values", o.Type, path), value)
		})
	}
	for i := range p.Predictions {
		note("predictions", p.Predictions[i].Name)
	}
	note("city", p.Where.City)
	note("region", p.Where.Region)
	note("country", p.Where.Country)
	note(key("context values", "device.type"), p.Device)
	note(key("context values", "locale"), p.Locale)
	note(key("context values", "timezone"), p.Zone)
}

// each calls do with every property, those inside others by their paths. Lists are
// those of their elements, as conditions read them.
func each(prefix string, o event.Object, depth int, do func(path, value string)) {
	o.Each(func(name string, v event.Value) bool {
		one := func(v event.Value) bool {
			if v.Kind == event.Map && depth < maxNested {
				each(prefix+name+".", v.Object(), depth+1, do)
			} else {
				do(prefix+name, plain(v))
			}
			return true
		}
		if v.Kind == event.List {
			v.Items(one)
		} else {
			one(v)
		}
		return true
	})
}

// plain returns a value that could be compared with; what has parts has none.
func plain(v event.Value) string {
	switch v.Kind {
	case event.String, event.Number:
		return v.Raw
	case event.True:
		return "true"
	case event.False:
		return "false"
	}
	return ""
}

// retailEvents are those of the retail spec, which a shop has sooner or later.
var retailEvents = []string{
	event.PageViewed, event.ProductSearched, event.ListViewed, event.ProductViewed, event.ProductAdded, event.ProductRemoved, event.CartViewed, event.CheckoutStarted,
	event.OrderCompleted, event.OrderRefunded, event.OrderCancelled,
}

// choices lists what could stand in a part of a condition.
func (a *API) choices(ctx context.Context, in *struct {
	From string   `query:"from" required:"true" maxLength:"64" doc:"The part's from. With “ values” behind it: what a property of it was seen to be."`
	Of   []string `query:"of,explode" maxItems:"50" doc:"The value of the key that the part's of names."`
	At   string   `query:"at" maxLength:"200" doc:"The property whose values are asked for."`
},
) (*body[page[candidate]], error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	out := page[candidate]{Data: []candidate{}}
	add := func(value, label, about string) {
		if label == value {
			label = ""
		}
		if !slices.ContainsFunc(out.Data, func(c candidate) bool { return c.Value == value }) {
			out.Data = append(out.Data, candidate{Value: value, Label: label, About: about})
		}
	}
	seen := func(sources ...string) error {
		v, err := a.words(ctx)
		if err != nil {
			return err
		}
		for _, source := range sources {
			for _, c := range v.list(source) {
				if !slices.ContainsFunc(out.Data, func(d candidate) bool { return d.Value == c.Value }) {
					out.Data = append(out.Data, c)
				}
			}
		}
		return nil
	}
	of := func(source string, rest ...string) []string {
		sources := []string{}
		for _, o := range in.Of {
			sources = append(sources, key(append([]string{source, o}, rest...)...))
		}
		return sources
	}
	calls := func(name string) bool { return namesSomebody(name) || letters(name) == "name" }
	if callerOf(ctx).masked() && strings.HasSuffix(in.From, "values") && (calls(in.At) || slices.ContainsFunc(in.Of, calls)) {
		return answer(out, nil) // a first name that several customers have is theirs all the same
	}
	switch in.From {
	case "events":
		err = seen("events")
		for _, name := range retailEvents {
			add(name, "", "")
		}
	case "properties":
		err = seen(of("properties")...)
		if err == nil && len(out.Data) == 0 {
			err = seen("properties")
		}
	case "properties values":
		err = seen(of("property values", in.At)...)
		if err == nil && len(out.Data) == 0 {
			err = seen(key("property values", in.At))
		}
	case "object properties":
		err = seen(of("object properties")...)
	case "object properties values":
		err = seen(of("object property values", in.At)...)
	case "traits":
		for i := range pr.Traits {
			add(pr.Traits[i].Name, pr.Traits[i].Label, pr.Traits[i].Sentence)
		}
		err = seen("traits")
	case "trait values":
		err = seen(of("trait values")...)
	case "context values":
		err = seen(of("context values")...)
	case "predictions":
		err = a.foretold(add)
		if err == nil {
			err = seen("predictions")
		}
		for i := range out.Data {
			if label, _ := condition.SayPrediction(out.Data[i].Value); label.EN != out.Data[i].Value {
				out.Data[i].Words = &label
			}
		}
	case "taste":
		for _, by := range in.Of {
			if err == nil {
				err = seen(key("property values", by), key("property values", "products."+by))
			}
		}
	case "objects", "city", "region", "country":
		err = seen(in.From)
	default:
		named(pr, in.From, in.Of, add)
	}
	out.Data = out.Data[:min(len(out.Data), maxChoices)]
	return answer(out, err)
}

// foretold adds what models say.
func (a *API) foretold(add func(value, label, about string)) error {
	models, err := a.models()
	for i := range models.Data {
		for _, name := range models.Data[i].Predicts {
			if !strings.HasSuffix(name, ".") {
				add(name, "", models.Data[i].Title)
			}
		}
	}
	return err
}

// named adds what definitions name.
func named(pr *program.Program, from string, of []string, add func(value, label, about string)) {
	switch from {
	case "segments":
		for i := range pr.Segments {
			add(pr.Segments[i].Name, pr.Segments[i].Label, pr.Segments[i].Sentence)
		}
	case "lists":
		for i := range pr.Lists {
			add(pr.Lists[i].Name, pr.Lists[i].Label, pr.Lists[i].About)
		}
	case "purposes":
		for i := range pr.Purposes {
			add(pr.Purposes[i].Name, "", "")
		}
	case "channels":
		for _, channel := range program.Channels {
			if _, speaks := pr.Senders[channel]; speaks {
				add(channel, "", "")
			}
		}
	case "templates":
		for _, name := range slices.Sorted(maps.Keys(pr.Templates)) {
			add(name, "", "")
		}
	case "journeys", "campaigns", "services":
		for _, d := range pr.Core.Journeys.Definitions() {
			kind := "journeys"
			switch {
			case d.Campaign() != nil:
				kind = "campaigns"
			case d.IsService():
				kind = "services"
			}
			if kind == from {
				add(d.Name, d.Title, "")
			}
		}
	case "scores", "tiered scores":
		for _, s := range pr.Scores.All() {
			if from == "scores" || len(s.Tiers) > 0 {
				add(s.Name, "", "")
			}
		}
	case "tiers":
		for _, name := range of {
			if s := pr.Scores.Score(name); s != nil {
				for i := range s.Tiers {
					add(s.Tiers[i].Name, "", "")
				}
			}
		}
	case "tastes":
		for _, name := range append(condition.TasteNames(), pr.Scores.Affinities()...) {
			add(name, strings.ReplaceAll(name, "_", " "), "")
		}
	case "stores", "stores or any":
		if from == "stores or any" {
			add("any", "", "")
		}
		for _, s := range pr.Places.Stores() {
			add(s.ID, s.Name, "")
		}
	case "fences":
		for _, f := range pr.Places.Fences() {
			add(f.Name, "", "")
		}
	}
}
