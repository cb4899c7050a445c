package condition_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"rapport/internal/core/condition"
	"rapport/internal/core/spec"
)

func TestEveryKindOfQuestionDescribesItself(t *testing.T) {
	t.Parallel()
	seen := []string{}
	for _, k := range condition.Kinds() {
		if k.Label == "" || k.Group == "" || k.About == "" || !strings.Contains(k.Example, k.Key+":") {
			t.Errorf("%+v does not describe itself", k)
		}
		if slices.Contains(seen, k.Key) {
			t.Errorf("%s is described twice", k.Key)
		}
		seen = append(seen, k.Key)
	}
	for _, key := range []string{"did", "sequence", "message", "list", "object", "prediction", "dwell", "score"} {
		if !slices.Contains(seen, key) {
			t.Errorf("%s is not described", key)
		}
	}
}

// A form is made of the parts alone: a key that none of them stands for could not be
// written with it.
func TestThePartsOfAQuestionAreItsKeys(t *testing.T) {
	t.Parallel()
	for _, k := range condition.Kinds() {
		if k.German.Label == "" || k.German.About == "" {
			t.Errorf("%s has no German", k.Key)
		}
		if len(k.Parts) == 0 || k.Parts[0].Key != k.Key || !k.Parts[0].Needed {
			t.Errorf("%s does not begin with the part of its own key", k.Key)
			continue
		}
		said := []string{}
		for _, p := range k.Parts {
			if p.Type == condition.OfCompare {
				for _, c := range p.Choices {
					said = append(said, c.Value)
				}
				continue
			}
			if p.Key != k.Key {
				said = append(said, p.Key)
			}
		}
		with := slices.Clone(k.With)
		slices.Sort(with)
		slices.Sort(said)
		if !slices.Equal(with, said) {
			t.Errorf("%s: the parts say %v, the parser takes %v", k.Key, said, with)
		}
		complete(t, k.Key, k.Parts)
	}
}

func complete(t *testing.T, of string, parts []condition.Part) {
	t.Helper()
	for _, p := range parts {
		at := of + "." + p.Key
		if p.Label.EN == "" || p.Label.DE == "" || p.About.EN != "" && p.About.DE == "" {
			t.Errorf("%s has no label in both languages", at)
		}
		switch p.Type {
		case condition.OfChoice, condition.OfCompare, condition.OfFilter:
			if len(p.Choices) == 0 {
				t.Errorf("%s has no choices", at)
			}
		case condition.OfMap, condition.OfList:
			if len(p.Parts) == 0 {
				t.Errorf("%s has no parts", at)
			}
		}
		for _, c := range p.Choices {
			if c.Value == "" || c.Label.EN == "" || c.Label.DE == "" {
				t.Errorf("%s: the choice %q has no label", at, c.Value)
			}
		}
		complete(t, at, p.Parts)
	}
}

// A part that is added begins with a value, and that value must be one the parser
// takes beside the others.
func TestWhatAFormBeginsWithIsAQuestion(t *testing.T) {
	t.Parallel()
	names := map[string]any{
		"traits": "country", "segments": "vip", "lists": "press", "objects": "subscription", "predictions": "p_alive", "scores": "engagement", "tiered scores": "engagement", "tiers": "hot",
		"taste": "lamps", "city": "Leeds", "region": "Yorkshire", "country": "GB", "fences": "centre", "properties": "total", "campaigns": "spring", "journeys": "welcome", "services": "paid",
		"templates": "spring", "channels": "email",
	}
	var begin func(p condition.Part) any
	fill := func(parts []condition.Part, extra string) map[string]any {
		m := map[string]any{}
		for _, p := range parts {
			if !p.Needed && p.Key != extra {
				continue
			}
			if p.Key != extra && extra != "" && p.Instead != "" && slices.ContainsFunc(parts, func(q condition.Part) bool { return q.Key == extra && q.Instead == p.Instead }) {
				continue
			}
			switch p.Type {
			case condition.OfCompare:
				m["exists"] = true
			case condition.OfMeasure:
				m[p.Key+"(sku)"] = begin(p)
			default:
				m[p.Key] = begin(p)
			}
		}
		return m
	}
	begin = func(p condition.Part) any {
		switch {
		case p.Start != nil:
			return p.Start
		case p.From != "" && p.Type == condition.OfFilter:
			return map[string]any{"products.category": "shoes"}
		case p.From != "" && p.Type == condition.OfValues:
			return []any{names[p.From]}
		case p.From != "":
			return names[p.From]
		}
		switch p.Type {
		case condition.OfCondition:
			return map[string]any{"did": "Product Viewed"}
		case condition.OfConditions:
			return []any{map[string]any{"did": "Product Viewed"}, map[string]any{"did": "Product Added"}}
		case condition.OfPeriod:
			return []any{"2026-11-01", "2026-11-30"}
		case condition.OfDate:
			return "2026-11-01"
		case condition.OfMap:
			return fill(p.Parts, "")
		}
		t.Errorf("%s: a form has nothing to begin with", p.Key)
		return nil
	}
	for _, k := range condition.Kinds() {
		for _, p := range k.Parts {
			if p.Type == condition.OfCompare {
				continue
			}
			written, err := json.Marshal(fill(k.Parts, p.Key))
			if err != nil {
				t.Fatal(err)
			}
			var ps spec.Problems
			e := &condition.Env{Set: condition.NewSet(), Segments: []string{"vip"}, Lists: []string{"press"}, Currency: "GBP", Properties: true, Places: london(t)}
			e.Scores = scored(t, e, &ps, engagement)
			condition.Parse(define(t, string(written)), e, &ps)
			for _, problem := range ps.All() {
				t.Errorf("%s with %s: %s: %s", k.Key, p.Key, written, problem.Error())
			}
		}
	}
}

func TestAQuestionWithoutASentenceIsToldByItsParts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		`{'tier':'engagement','from':'hot'}`:                        {"of the score “engagement” in this tier or above “hot”", "beim Punktestand “engagement” in dieser Stufe oder darüber “hot”"},
		`{'affinity':{'by':'category','of':'lamps','is':'>= 33%'}}`: {"likes the “category” “lamps” with a share of at least 33% of all interest", "mag bei “category” “lamps” mit einem Anteil von mindestens 33% des Interesses"},
		`{'lifecycle':['loyal','at-risk']}`:                         {"is at the stage loyal or at risk", "ist in der Phase treu oder gefährdet"},
		`{'store':['soho','kew'],'within':'30d'}`:                   {"was in the store “soho” or “kew” in the last 30 days", "war im Laden “soho” oder “kew” in den letzten 30 Tagen"},
		`{'near':{'store':'any','within':'2km','open':true}}`:       {"was last from the store “any” at most 2km which is open now", "war zuletzt vom Laden “any” höchstens 2km der jetzt offen ist"},
		`{'nothing':'known'}`:                                       {"", ""},
	} {
		n := define(t, text)
		if got := [2]string{condition.Tell(n, false), condition.Tell(n, true)}; got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
