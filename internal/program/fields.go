package program

import (
	"slices"
	"strings"

	"rapport/internal/core/spec"
)

// fields reads the maps of the files that this package itself understands.
type fields struct{ ps *spec.Problems }

// known reports every field of n that is not in the list, each with the one that
// was probably meant. It reports false if n is no map at all.
func (r fields) known(n spec.Node, what string, keys ...string) bool {
	if n.Kind != spec.Map {
		r.ps.Add(n.Pos, keys[0]+": …", "%s is made of lines “key: value”", what)
		return false
	}
	for _, f := range n.Fields {
		if !slices.Contains(keys, f.Key) {
			r.ps.Add(f.Pos, meant(f.Key, keys), "%s has no field %q", what, f.Key)
		}
	}
	return true
}

// text returns the text of a field; empty if it is not there or is none, which
// is reported.
func (r fields) text(n spec.Node, key string) string {
	v, ok := n.Get(key)
	if !ok || v.Kind == spec.Null {
		return ""
	}
	if !v.Scalar() {
		r.ps.Add(v.Pos, key+": some text", "%s is a text", key)
		return ""
	}
	return strings.TrimSpace(v.Text)
}

// must returns the text of a field that has to be there.
func (r fields) must(n spec.Node, what, key, example string) string {
	s := r.text(n, key)
	if s == "" {
		pos := n.Pos
		if v, ok := n.Get(key); ok {
			pos = v.Pos
		}
		r.ps.Add(pos, key+": "+example, "%s has no %s", what, key)
	}
	return s
}

// at returns where the value of a field stands, or where n does.
func at(n spec.Node, key string) spec.Pos {
	if v, ok := n.Get(key); ok {
		return v.Pos
	}
	return n.Pos
}

// meant returns the word of the list that was probably meant, or the whole list.
func meant(word string, list []string) string {
	if s := nearest(word, list); s != "" {
		return s
	}
	return "one of " + strings.Join(list, ", ")
}

// nearest returns the word of the list that is at most a third of its letters
// away; empty if none is.
func nearest(word string, list []string) string {
	best, least := "", 3
	for _, w := range list {
		if d := edits(strings.ToLower(word), w); d < least && d <= 1+len(w)/4 {
			best, least = w, d
		}
	}
	return best
}

// edits returns how many letters must be put in, taken out or replaced.
func edits(a, b string) int {
	if len(a) > 100 || len(b) > 100 {
		return 100 // no misspelling: the table would only grow
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		left := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := left
			if a[i-1] != b[j-1] {
				cost++
			}
			left, row[j] = row[j], min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// maxName bounds the names of segments, templates and layouts: they stand in
// deliveries and addresses.
const maxName = 64

func validName(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= maxName
}
