package spec_test

import (
	"testing"

	"rapport/internal/core/spec"
)

func TestAProblemSaysWhereItStandsWhatIsWrongAndWhatToWrite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pos     spec.Pos
		instead string
		want    string
	}{
		{spec.Pos{File: "segments/vip.yaml", Line: 4, Col: 7}, "within", `segments/vip.yaml:4:7: "witin" is not known (write: within)`},
		{spec.Pos{File: "segments/vip.yaml", Line: 4}, "", `segments/vip.yaml:4: "witin" is not known`},
		{spec.Pos{File: "segments/vip.yaml", Col: 7}, "", `segments/vip.yaml: "witin" is not known`}, // a column without a line says nothing
		{spec.Pos{}, "", `"witin" is not known`},
	} {
		var ps spec.Problems
		ps.Add(c.pos, c.instead, "%q is not known", "witin")
		if got := ps.All()[0]; got.Error() != c.want || got.Where != c.pos.String() || got.Warning {
			t.Errorf("got %q, want %q", got.Error(), c.want)
		}
	}
}

func TestAWarningIsNotBad(t *testing.T) {
	t.Parallel()
	var ps spec.Problems
	if ps.Bad() || len(ps.All()) != 0 {
		t.Error("nothing is bad")
	}
	ps.Warn(spec.Pos{Line: 1}, "", "odd")
	if ps.Bad() || !ps.All()[0].Warning {
		t.Error("a warning is bad")
	}
	ps.Add(spec.Pos{Line: 2}, "", "wrong")
	ps.Warn(spec.Pos{Line: 3}, "", "odd again")
	if list := ps.All(); !ps.Bad() || len(list) != 3 || list[1].What != "wrong" || list[2].What != "odd again" {
		t.Errorf("problems = %v", ps.All())
	}
}

func TestAKeyIsFoundInAMapAndNowhereElse(t *testing.T) {
	t.Parallel()
	one, two := spec.Node{Kind: spec.Number, Text: "1"}, spec.Node{Kind: spec.Number, Text: "2"}
	m := spec.Node{Kind: spec.Map, Fields: []spec.Field{{Key: "a", Value: one}, {Key: "a", Value: two}}}
	if v, ok := m.Get("a"); !ok || v.Text != "1" {
		t.Errorf("a is %q, %v", v.Text, ok)
	}
	for _, n := range []spec.Node{m, {}, {Kind: spec.List, Items: []spec.Node{one}}, one} {
		if v, ok := n.Get("b"); ok {
			t.Errorf("b is %q", v.Text)
		}
	}
	for kind, scalar := range map[spec.Kind]bool{spec.Null: false, spec.Bool: true, spec.Number: true, spec.Text: true, spec.List: false, spec.Map: false} {
		if got := (spec.Node{Kind: kind}).Scalar(); got != scalar {
			t.Errorf("kind %d is a scalar: %v", kind, got)
		}
	}
}
