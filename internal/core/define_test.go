package core_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
	_ "time/tzdata"

	"rapport/internal/core"
	"rapport/internal/core/condition"
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight"
	"rapport/internal/core/journey"
	"rapport/internal/core/spec"
)

// noon is Monday 2 March 2026, 12:00 UTC, which is 12:00 in London too.
var noon = event.At(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))

const (
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
)

// tester is what a test and a property have in common.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// define reads a definition in JSON, the quotes of which may be single.
func define(t tester, text string) spec.Node {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(strings.ReplaceAll(text, "'", `"`)))
	d.UseNumber()
	n, err := read(d)
	if err != nil {
		t.Fatalf("the definition %s: %v", text, err)
	}
	return n
}

func read(d *json.Decoder) (n spec.Node, err error) {
	token, err := d.Token()
	if err != nil {
		return n, err
	}
	switch v := token.(type) {
	case json.Delim:
		n.Kind = spec.Map
		if v == '[' {
			n.Kind = spec.List
		}
		for d.More() {
			var f spec.Field
			if n.Kind == spec.Map {
				key, err := d.Token()
				if err != nil {
					return n, err
				}
				f.Key = key.(string)
			}
			if f.Value, err = read(d); err != nil {
				return n, err
			}
			if n.Kind == spec.Map {
				n.Fields = append(n.Fields, f)
			} else {
				n.Items = append(n.Items, f.Value)
			}
		}
		_, err = d.Token()
	case string:
		n.Kind, n.Text = spec.Text, v
	case json.Number:
		n.Kind, n.Text = spec.Number, v.String()
	case bool:
		n.Kind, n.Text = spec.Bool, fmt.Sprint(v)
	}
	return n, err
}

var zones = sync.OnceValue(func() *decision.Zones {
	z, err := decision.LoadZones(time.LoadLocation)
	if err != nil {
		panic(err)
	}
	return z
})

// definitions are what a program is compiled of. Journeys have no holdout unless
// they name one.
type definitions struct {
	segments [][2]string // name and condition
	trigger  string      // of the segments
	journeys []string
	older    []string // journeys of versions that people may still be inside
	policy   func(*decision.Policy)
	hash     uint64
}

func (d definitions) compile(t tester) *core.Program {
	t.Helper()
	var ps spec.Problems
	env := &condition.Env{Set: condition.NewSet(), Currency: "GBP", Zones: zones().Zone}
	var sources []insight.SegmentSource
	for _, s := range d.segments {
		sources = append(sources, insight.SegmentSource{Name: s[0], Node: define(t, s[1]), Trigger: d.trigger})
	}
	segments := insight.Compile(sources, env, &ps)
	jenv := &journey.Env{Conditions: env, Channels: []string{"email", "sms"}, Template: func(string) bool { return true }}
	parse := func(list []string) (parsed []*journey.Definition) {
		for _, text := range list {
			n := define(t, text)
			if _, named := n.Get("holdout"); !named {
				n.Fields = append(n.Fields, spec.Field{Key: "holdout", Value: spec.Node{Kind: spec.Number, Text: "0"}})
			}
			if j := journey.Parse("journey", n, jenv, &ps); j != nil {
				parsed = append(parsed, j)
			}
		}
		return parsed
	}
	current, older := parse(d.journeys), parse(d.older)
	if ps.Bad() {
		t.Fatalf("the definitions are wrong: %v", ps.All())
	}
	policy := decision.Defaults()
	policy.Zone, policy.Quiet, policy.Gap, policy.Caps = "Europe/London", nil, 0, nil
	if d.policy != nil {
		d.policy(&policy)
	}
	return &core.Program{
		Hash: max(d.hash, 2), Workspace: "shop", Key: identity.Key{7}, Zone: zones().Zone("Europe/London"), Zones: zones().Zone,
		Series: env.Set, Segments: segments, Journeys: journey.NewSet(current, older), Gate: decision.New("shop", policy, zones()),
	}
}
