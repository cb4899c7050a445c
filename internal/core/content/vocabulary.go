package content

import (
	"cmp"
	"slices"
)

// Filter is a filter that templates may call, for who writes one.
type Filter struct {
	Name  string `json:"name"`
	Least int    `json:"least"` // how many arguments it takes at least
	Most  int    `json:"most"`
}

// Filters returns every filter, by name.
func Filters() []Filter {
	list := make([]Filter, 0, len(filters))
	for name, f := range filters { // order does not matter: they are sorted
		list = append(list, Filter{name, f.least, f.most})
	}
	slices.SortFunc(list, func(a, b Filter) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Tags returns the tags that begin something, each with the tag that ends it; empty
// for those that stand alone.
func Tags() map[string]string {
	return map[string]string{
		"assign": "", "echo": "", "increment": "", "decrement": "", "cycle": "", "break": "", "continue": "", "liquid": "", "render": "", "include": "", "abort": "",
		"else": "", "elsif": "", "when": "",
		"capture": "endcapture", "if": "endif", "unless": "endunless", "case": "endcase", "for": "endfor", "tablerow": "endtablerow", "ifchanged": "endifchanged",
		"raw": "endraw", "comment": "endcomment",
	}
}
