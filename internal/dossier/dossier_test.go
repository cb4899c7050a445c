package dossier_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/dossier"
	"rapport/internal/engine"
	"rapport/internal/fault"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

// filler puts a word of its own into every text of a value and remembers it.
type filler struct{ words []string }

func (f *filler) word(path string) string {
	w := fmt.Sprintf("canary%d%s", len(f.words), strings.ReplaceAll(path, ".", "-"))
	f.words = append(f.words, w)
	return w
}

func (f *filler) fill(path string, v reflect.Value) {
	switch v.Interface().(type) {
	case event.Object:
		v.Set(reflect.ValueOf((&event.Builder{}).SetText(f.word(path), f.word(path)).Object()))
		return
	case event.Value:
		v.Set(reflect.ValueOf(event.Text(f.word(path))))
		return
	case identity.Identifier:
		v.Set(reflect.ValueOf(identity.Identifier{Kind: identity.Kind(f.word(path)), Value: f.word(path)}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(f.word(path))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(path, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		f.fill(path, v.Index(0))
	}
}

// TestEveryWordAboutAPersonIsInTheDossier: a field that somebody adds to a profile,
// an event or a delivery, and that the dossier leaves out, makes it fail.
func TestEveryWordAboutAPersonIsInTheDossier(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := &filler{}
	p := profile.New(identity.ID{1})
	f.fill("profile", reflect.ValueOf(p).Elem())
	p.ID, p.Owner, p.Strands = identity.ID{1}, identity.ID{}, []identity.ID{{2}}
	open := "profile.Open" // what is open stands in the ledger, below
	f.words = deleteFunc(f.words, func(w string) bool { return strings.Contains(w, strings.ReplaceAll(open, ".", "-")) })

	var e event.Event
	f.fill("event", reflect.ValueOf(&e).Elem())
	e.Type = event.Track
	var d store.Delivery
	f.fill("delivery", reflect.ValueOf(&d).Elem())
	var q store.Quarantine
	f.fill("aside", reflect.ValueOf(&q).Elem())
	d.Profile, q.To, q.Entry = p.ID, identity.ID{2}, nil
	record := decision.Record{Reason: decision.NoConsent, Ask: decision.Ask{Channel: f.word("ask")}, Consent: &decision.Basis{Evidence: f.word("basis")}}
	d.Plan, d.Claim = record.Append(nil), nil
	var s store.Suppression
	f.fill("suppression", reflect.ValueOf(&s).Elem())
	s.Subject = [16]byte{9}

	st, ledger := memory.New(), memory.NewLedger()
	if err := ledger.Suppress(ctx, s); err != nil {
		t.Fatal(err)
	}
	err := st.Commit(ctx, &store.Commit{
		To: store.Position{Epoch: 1, Seq: 1}, Deliveries: []store.Delivery{d}, Quarantine: []store.Quarantine{q},
		History: []store.Block{{Strand: identity.ID{2}, Body: engine.PackHistory([]engine.Heard{{Now: 5, Event: e}})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	tables, err := dossier.Of(ctx, dossier.Source{Store: st, Ledger: ledger, Subjects: [][16]byte{{9}}}, p)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	if err := dossier.Write(dir, tables); err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile(filepath.Join(dir, dossier.Document))
	if err != nil || !json.Valid(document) {
		t.Fatalf("the document is no JSON: %v", err)
	}
	var sheets strings.Builder
	for i := range tables {
		b, err := os.ReadFile(filepath.Join(dir, tables[i].Name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		sheets.Write(b)
	}
	if len(f.words) < 60 {
		t.Errorf("only %d words were laid out: the test looks at too little", len(f.words))
	}
	for _, w := range f.words {
		if !strings.Contains(string(document), w) {
			t.Errorf("%s is not in the JSON", w)
		}
		if !strings.Contains(sheets.String(), w) {
			t.Errorf("%s is in no sheet", w)
		}
	}
	if err := dossier.Write(dir, tables); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second dossier in the same folder: %v, want Conflict", err)
	}
}

func deleteFunc(words []string, gone func(string) bool) (kept []string) {
	for _, w := range words {
		if !gone(w) {
			kept = append(kept, w)
		}
	}
	return kept
}

func TestNoCellOfASheetIsAFormula(t *testing.T) {
	t.Parallel()
	p := profile.New(identity.ID{1})
	hostile := []string{`=HYPERLINK("https://evil.example")`, "+cmd|' /C calc'!A0", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1", "a,b\"c\nd", "plain"}
	for i, h := range hostile {
		p.Traits = append(p.Traits, profile.Trait{Name: fmt.Sprint(i), Value: event.Text(h)})
	}
	tables, err := dossier.Of(t.Context(), dossier.Source{Store: memory.New(), Ledger: memory.NewLedger()}, p)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	if err := dossier.Write(dir, tables); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(dir, "traits.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows[1:] {
		got, back := row[1], strings.TrimPrefix(row[1], "'")
		if strings.ContainsAny(got[:1], "=+-@\t\r\n") || strings.HasPrefix(got, "＝") {
			t.Errorf("cell %q is taken for a formula", got)
		}
		// encoding/csv reads CR LF and a lone CR as a line feed; the rest comes back as it was.
		if want := strings.ReplaceAll(hostile[i], "\r", "\n"); strings.ReplaceAll(back, "\r", "\n") != want {
			t.Errorf("cell %q does not come back as %q", got, want)
		}
	}
}
