package arch

import (
	"path"
	"strings"
)

// index is the page that lists every decision.
const index = decisions + "README.md"

// Decisions finds decisions that the index does not name: nobody reads what cannot be
// found.
func (t *Tree) Decisions() []Finding {
	var page string
	for _, file := range t.Text {
		if file.Path == index {
			page = file.Body
		}
	}
	var found []Finding
	for _, file := range t.Text {
		name := path.Base(file.Path)
		if path.Dir(file.Path)+"/" != decisions || name[0] < '0' || name[0] > '9' || strings.Contains(page, "("+name+")") {
			continue
		}
		found = append(found, Finding{
			Rule: "decision", Path: file.Path, Line: 1, What: index + " does not list it", Instead: "give it a line there, with its number, its title and whether it holds",
		})
	}
	return found
}
