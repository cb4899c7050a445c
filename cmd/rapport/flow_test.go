package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"rapport/internal/core/identity"
	"rapport/internal/program"
	"rapport/internal/report"
)

// Each number of a journey has the people behind it.
func TestTheFlowThroughAJourneyIsCountedByStep(t *testing.T) {
	t.Parallel()
	s, table, _ := served(t)
	if err := s.d.openTables(t.Context(), "duckdb", nil); err != nil {
		t.Fatal(err)
	}
	src, err := program.Read(os.DirFS("../../examples/shop"))
	if err != nil {
		t.Fatal(err)
	}
	marks := "journey: marks\ntrigger: {event: Order Completed}\nholdout: 0\nsteps:\n  - name: a-b\n    wait: 1d\n  - name: a_b\n    wait: 1d\n"
	if src, err = src.With([]program.File{{Path: "journeys/marks.yaml", Body: marks}}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.node.Apply(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	if err := s.node.Engine.CatchUp(t.Context()); err != nil { // the definitions come into force
		t.Fatal(err)
	}
	h := table.guarded()
	for i, who := range []string{"ada", "bob", "eve", "eve"} { // her second order is what the welcome is for
		body := fmt.Sprintf(`{"messageId":"%d","event":"Order Completed","userId":%q,"properties":{"order_id":"o%d","currency":"GBP","products":[{"sku":"LAMP","price":20,"quantity":1}]}}`, i, who, i)
		r := httptest.NewRequest("POST", "http://shop.test/v1/track", strings.NewReader(body))
		r.SetBasicAuth(s.d.fresh[0].Text, "")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != 200 {
			t.Fatalf("%s is answered %d %s", body, w.Code, w.Body)
		}
		if err := s.node.Engine.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.d.tables.loader.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	tables := report.Tables{Warehouse: s.d.tables.store(), Now: s.clock.Now}
	f, err := tables.Flow(t.Context(), "welcome", 0.1)
	if err != nil {
		t.Fatal(err)
	}
	if f.Entered != 3 || f.People != 3 || f.Converted != 1 || f.Pending != 3 || len(f.Steps) != 1 {
		t.Fatalf("the flow is %+v", f)
	}
	if step := f.Steps[0]; step.Step != "settle" || step.Reached != 3 || step.Left != 1 || step.Goals != 1 {
		t.Errorf("the step is %+v", step)
	}
	for who, want := range map[string]int{"reached": 3, "goal": 1, "left": 0} {
		var seen []identity.ID
		for after, pages := (identity.ID{}), 0; pages < 5; pages++ {
			p, err := tables.FlowPeople(t.Context(), "welcome", "settle", who, "", after, 2)
			if err != nil {
				t.Fatal(err)
			}
			if seen = append(seen, p.IDs...); !p.More {
				break
			}
			after = p.IDs[len(p.IDs)-1]
		}
		if len(seen) != want {
			t.Errorf("%s: %d people, not %d", who, len(seen), want)
		}
	}
	for step, want := range map[string]int{"a-b": 3, "a_b": 0, "%": 0} {
		p, err := tables.FlowPeople(t.Context(), "marks", step, "reached", "", identity.ID{}, 10)
		if err != nil || len(p.IDs) != want {
			t.Errorf("behind the step %s are %d people (%v), not %d", step, len(p.IDs), err, want)
		}
	}
	if p, err := tables.FlowPeople(t.Context(), "m_rks", "", "entered", "", identity.ID{}, 10); err != nil || len(p.IDs) > 0 {
		t.Errorf("behind another journey are %d people (%v)", len(p.IDs), err)
	}
	if f, err = tables.Flow(t.Context(), "wel", 0.1); err != nil || f.Entered != 0 || len(f.Steps) != 0 {
		t.Errorf("a journey whose name another begins with is counted with it: %+v %v", f, err)
	}
}
