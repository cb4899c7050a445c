package condition_test

import (
	"encoding/json"
	"strings"
	"testing"

	"rapport/internal/core/spec"
)

// define reads a definition in JSON, the quotes of which may be single.
func define(t testing.TB, text string) spec.Node {
	t.Helper()
	n, err := parse(text)
	if err != nil {
		t.Fatalf("the definition %s: %v", text, err)
	}
	return n
}

func parse(text string) (spec.Node, error) {
	d := json.NewDecoder(strings.NewReader(strings.ReplaceAll(text, "'", `"`)))
	d.UseNumber()
	return read(d)
}

func read(d *json.Decoder) (n spec.Node, err error) {
	n.Pos = spec.Pos{Line: 1, Col: int(d.InputOffset()) + 1}
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
				f.Pos = spec.Pos{Line: 1, Col: int(d.InputOffset()) + 1}
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
		n.Kind, n.Text = spec.Bool, "false"
		if v {
			n.Text = "true"
		}
	}
	return n, err
}
