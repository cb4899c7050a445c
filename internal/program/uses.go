package program

import (
	"path"
	"strings"

	"rapport/internal/core/spec"
)

// Use is a place in a definition that names a segment.
type Use struct {
	Kind string `json:"kind"` // segment, journey, campaign …: the folder in the singular
	Name string `json:"name"` // of the definition; the file's name if it says none
	File string `json:"file"`
	Line int    `json:"line"`
}

// Uses returns where the definitions name a segment, apart from its own definition, in
// the order of the files: who takes it away changes all of these.
func (s *Source) Uses(segment string) []Use {
	list := []Use{}
	for _, f := range s.files {
		dir, base := path.Split(f.Path)
		name, ext, _ := strings.Cut(base, ".")
		if ext != "yaml" {
			continue
		}
		kind := strings.TrimSuffix(strings.TrimSuffix(dir, "/"), "s")
		if dir == "" {
			kind = name
		}
		var unheard spec.Problems
		for _, d := range ParseYAML(f.Path, 1, f.Body, &unheard) {
			nodes := d.Items
			if d.Kind != spec.List {
				nodes = []spec.Node{d}
			}
			for _, n := range nodes {
				own := name
				if said, there := n.Get(kind); there && said.Scalar() {
					own = said.Text
				}
				if kind == "segment" && own == segment {
					continue
				}
				for _, line := range named(n, segment, kind == "segment") {
					list = append(list, Use{kind, own, f.Path, line})
				}
			}
		}
	}
	return list
}

// named returns the lines on which a tree names a segment. The head of a segment's own
// definition is no use of it.
func named(n spec.Node, segment string, head bool) (lines []int) {
	for _, f := range n.Fields {
		if (f.Key == "segment" && !head || f.Key == "not_in_segment") && f.Value.Scalar() && f.Value.Text == segment {
			lines = append(lines, f.Value.Pos.Line)
		}
		lines = append(lines, named(f.Value, segment, false)...)
	}
	for _, item := range n.Items {
		lines = append(lines, named(item, segment, false)...)
	}
	return lines
}
