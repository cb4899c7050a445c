package content_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"rapport/internal/core/content"
	"rapport/internal/core/event"
)

// golden is one case of the golden suite, which says what Shopify's Liquid does.
type golden struct {
	Name      string
	Template  string
	Data      json.RawMessage
	Result    *string
	Results   []string
	Invalid   bool
	Templates map[string]string
	Tags      []string
}

// unsupported are tags that templates here do not have.
var unsupported = []string{"include tag", "render tag", "tablerow tag"}

// differ are the cases where we decided otherwise.
var differ = map[string]string{
	"tags, case, unexpected when token": "the suite has it twice, once as nothing and once as a mistake; to us it is a mistake",
}

// object reads JSON with its fields in their order.
func object(t *testing.T, raw []byte) event.Object {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return value(t, d).Object()
}

func value(t *testing.T, d *json.Decoder) event.Value {
	t.Helper()
	tok, err := d.Token()
	if err != nil {
		t.Fatal(err)
	}
	switch tok := tok.(type) {
	case json.Delim:
		if tok == '[' {
			var items []event.Value
			for d.More() {
				items = append(items, value(t, d))
			}
			d.Token()
			return event.ListOf(items...)
		}
		var b event.Builder
		for d.More() {
			key, _ := d.Token()
			b.Set(key.(string), value(t, d))
		}
		d.Token()
		return event.Nested(b.Object())
	case string:
		return event.Text(tok)
	case json.Number:
		return event.Value{Kind: event.Number, Raw: tok.String()}
	case bool:
		return event.Yes(tok)
	}
	return event.Value{}
}

func TestTheGoldenSuiteOfLiquid(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/golden_liquid.json")
	if err != nil {
		t.Fatal(err)
	}
	var suite struct{ Tests []golden }
	if err := json.Unmarshal(raw, &suite); err != nil {
		t.Fatal(err)
	}
	ran, skipped, failed := 0, 0, 0
	for _, g := range suite.Tests {
		if len(g.Templates) > 0 || slices.ContainsFunc(g.Tags, func(tag string) bool { return slices.Contains(unsupported, tag) }) {
			skipped++
			continue
		}
		ran++
		vars := content.Vars{}
		if len(g.Data) > 0 {
			vars = content.ObjectVars(object(t, g.Data))
		}
		got, err := content.Lax(g.Template, vars)
		want := g.Results
		if g.Result != nil {
			want = append(want, *g.Result)
		}
		if differ[g.Name] != "" {
			g.Invalid = true
		}
		ok := g.Invalid && err != nil || !g.Invalid && err == nil && slices.Contains(want, got)
		if !ok {
			failed++
			t.Errorf("%s\n  template %q\n  data %.200s\n  got  %q, %v\n  want %q, invalid %t", g.Name, g.Template, g.Data, got, err, strings.Join(want, "|"), g.Invalid)
		}
	}
	t.Logf("%d of %d pass, %d skipped", ran-failed, ran, skipped)
	if ran < 1000 {
		t.Errorf("only %d cases ran", ran)
	}
}
