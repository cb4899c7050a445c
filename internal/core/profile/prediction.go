package profile

import (
	"cmp"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/wire"
)

// Prediction is what a model last said of the customer. Models are fitted outside
// the core, over everybody; what they say of one person comes back as an event, so
// that a replay hears the same words at the same place.
type Prediction struct {
	Name     string      // "clv", "need.lamps", "best_hour.email" …
	Value    event.Value // an amount, a share, an instant, a name
	At       event.Time  // when it was said
	Until    event.Time  // from then on it says nothing; zero: until another takes its place
	Model    string      // the model and its fit: "bg_nbd 2011-06-01"
	Evidence string      // one plain sentence about this person
	By       uint64      // fingerprint of the event, which settles equal instants
}

// MaxPredictions bounds the predictions of one profile: those said longest ago go
// first. The bounds of their texts are for models that misbehave; none comes near.
const (
	MaxPredictions  = 100
	maxName         = 128
	maxPredicted    = 256
	maxEvidence     = 400
	maxModel        = 64
	predictionLists = "predictions"
)

// Prediction returns what the models say of the customer under the name as of now,
// and whether they say anything.
func (p *Profile) Prediction(name string, now event.Time) (Prediction, bool) {
	i, ok := slices.BinarySearchFunc(p.Predictions, name, byPrediction)
	if !ok {
		return Prediction{}, false
	}
	said := p.Predictions[i]
	if said.Value.Kind == event.Null || said.Until != 0 && now >= said.Until {
		return Prediction{}, false
	}
	return said, true
}

func byPrediction(p Prediction, name string) int { return strings.Compare(p.Name, name) }

// foldPredictions notes what a [event.PredictionMade] says. Only the product's own
// word counts: a tracking call of that name changes nothing.
func (p *Profile) foldPredictions(e *event.Event, f *Folded) {
	if e.Trust != event.Own {
		return
	}
	list, _ := e.Props.Get(predictionLists)
	model := clip(e.Props.Text("model"), maxModel)
	by := Fingerprint(e.ID)
	list.Items(func(v event.Value) bool {
		o := v.Object()
		value, _ := o.Get("value")
		said := Prediction{
			Name: clip(o.Text("name"), maxName), Value: event.Value{Kind: value.Kind, Raw: strings.Clone(value.Raw)}, At: e.At, Model: model,
			Evidence: clip(o.Text("evidence"), maxEvidence), By: by,
		}
		if until, ok := o.Get("until"); ok {
			if ms, ok := until.Float(); ok {
				said.Until = event.Time(ms)
			}
		}
		if said.Name != "" && len(value.Raw) <= maxPredicted && p.predict(said) {
			f.Predictions = append(f.Predictions, said.Name)
		}
		return true
	})
}

// predict takes a prediction in if it is newer than what stands, and reports
// whether it did. A null takes the word back and remembers when.
func (p *Profile) predict(said Prediction) bool {
	i, found := slices.BinarySearchFunc(p.Predictions, said.Name, byPrediction)
	if found {
		if old := &p.Predictions[i]; old.At > said.At || old.At == said.At && old.By >= said.By {
			return false
		}
		p.Predictions = slices.Clone(p.Predictions)
		p.Predictions[i] = said
		return true
	}
	p.Predictions = slices.Insert(slices.Clip(p.Predictions), i, said)
	if len(p.Predictions) > MaxPredictions {
		oldest := 0
		for j := range p.Predictions {
			a, b := &p.Predictions[j], &p.Predictions[oldest]
			if cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.By, b.By)) < 0 {
				oldest = j
			}
		}
		p.Predictions = slices.Delete(p.Predictions, oldest, oldest+1)
	}
	return true
}

func (p *Profile) appendPredictions(dst []byte) []byte {
	dst = wire.Uvarint(dst, uint64(len(p.Predictions)))
	for i := range p.Predictions {
		s := &p.Predictions[i]
		dst = wire.Text(dst, s.Name)
		dst = append(dst, byte(s.Value.Kind))
		dst = wire.Text(dst, s.Value.Raw)
		dst = wire.Varint(dst, int64(s.At))
		dst = wire.Varint(dst, int64(s.Until))
		dst = wire.Text(dst, s.Model)
		dst = wire.Text(dst, s.Evidence)
		dst = wire.Fixed(dst, s.By)
	}
	return dst
}

func (p *Profile) readPredictions(r *wire.Reader) {
	p.Predictions = read(r, 15, func(r *wire.Reader) Prediction {
		return Prediction{
			r.Text(), event.Value{Kind: event.Kind(r.Byte()), Raw: r.Text()}, event.Time(r.Varint()), event.Time(r.Varint()), r.Text(), r.Text(), r.Fixed(),
		}
	})
}
